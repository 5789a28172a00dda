#include <wajah/embed/align.hpp>
#include <wajah/error.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace wajah {

namespace {

Point mean_of(std::span<const Point> points) {
  Point sum;
  for (const Point& p : points) sum = {sum.x + p.x, sum.y + p.y};
  const auto count = static_cast<double>(points.size());
  return {sum.x / count, sum.y / count};
}

constexpr double finest = 8;  // grid of samples for one pixel, each way

using Colour = std::array<double, 3>;

void add_pixel(Colour& sum, const Image& photo, int x, int y, double weight) {
  if (x < 0 || y < 0 || x >= photo.width || y >= photo.height) return;
  const std::uint8_t* pixel = photo.row(y) + 3 * x;
  for (std::size_t c = 0; c < 3; ++c) sum[c] += weight * pixel[c];
}

void add_sample(Colour& sum, const Image& photo, Point p, double weight) {
  // Written so that not-a-number is outside as well.
  if (!(p.x > -1 && p.y > -1 && p.x < photo.width && p.y < photo.height)) return;
  const double left = std::floor(p.x), top = std::floor(p.y), fx = p.x - left, fy = p.y - top;
  const double above = weight * (1 - fy), below = weight * fy;
  const std::array<double, 4> weights{above * (1 - fx), above * fx, below * (1 - fx), below * fx};
  const int x = static_cast<int>(left), y = static_cast<int>(top);
  if (x < 0 || y < 0 || x + 1 >= photo.width || y + 1 >= photo.height) {
    for (int i = 0; i < 4; ++i) add_pixel(sum, photo, x + i % 2, y + i / 2, weights[static_cast<std::size_t>(i)]);
    return;
  }
  const std::uint8_t *upper = photo.row(y) + 3 * x, *lower = upper + 3 * photo.width;
  for (std::size_t c = 0; c < 3; ++c) {
    sum[c] += weights[0] * upper[c] + weights[1] * upper[c + 3] + weights[2] * lower[c] + weights[3] * lower[c + 3];
  }
}

}  // namespace

Affine Affine::similarity(double a, double b, double tx, double ty) { return {a, -b, tx, b, a, ty}; }

Affine Affine::inverse() const {
  const double determinant = xx * yy - xy * yx;
  if (!std::isfinite(determinant) || determinant == 0) {
    fail(ErrorKind::input, "a transform that squeezes the picture flat has no inverse");
  }
  const Affine turned{yy / determinant, -xy / determinant, 0, -yx / determinant, xx / determinant, 0};
  const Point shift = turned({tx, ty});
  return {turned.xx, turned.xy, -shift.x, turned.yx, turned.yy, -shift.y};
}

Affine fit_similarity(std::span<const Point> from, std::span<const Point> to) {
  if (from.size() != to.size() || from.size() < 2) {
    fail(ErrorKind::input, "{} points to lay on {}, expected as many, and two or more", from.size(), to.size());
  }
  const Point from_mean = mean_of(from), to_mean = mean_of(to);
  double along = 0, across = 0, spread = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const Point p{from[i].x - from_mean.x, from[i].y - from_mean.y}, q{to[i].x - to_mean.x, to[i].y - to_mean.y};
    along += p.x * q.x + p.y * q.y;
    across += p.x * q.y - p.y * q.x;
    spread += p.x * p.x + p.y * p.y;
  }
  const double a = along / spread, b = across / spread;
  const double tx = to_mean.x - (a * from_mean.x - b * from_mean.y),
               ty = to_mean.y - (b * from_mean.x + a * from_mean.y);
  if (!std::isfinite(a + b + tx + ty)) fail(ErrorKind::input, "landmarks that all lie in one place cannot be aligned");
  return Affine::similarity(a, b, tx, ty);
}

Image warp(const Image& photo, const Affine& to_photo, int width, int height) {
  // A bilinear sample sees two photo pixels each way. Where a pixel of the crop covers more, the mean of a grid of
  // samples sees them all; one alone would skip most of a large face.
  const auto samples = [](double x, double y) {
    return static_cast<int>(std::clamp(std::ceil(std::hypot(x, y) / 2), 1.0, finest));
  };
  const int across = samples(to_photo.xx, to_photo.yx), down = samples(to_photo.xy, to_photo.yy);
  const double weight = 1.0 / (across * down);
  Image crop(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      Colour sum{};
      for (int j = 0; j < down; ++j) {
        for (int i = 0; i < across; ++i) {
          add_sample(sum, photo, to_photo({x + (i + 0.5) / across - 0.5, y + (j + 0.5) / down - 0.5}), weight);
        }
      }
      std::uint8_t* pixel = crop.row(y) + 3 * x;
      for (std::size_t c = 0; c < 3; ++c) pixel[c] = static_cast<std::uint8_t>(std::nearbyint(sum[c]));
    }
  }
  return crop;
}

}  // namespace wajah
