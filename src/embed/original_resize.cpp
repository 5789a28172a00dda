#include "original_resize.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

namespace wajah {

namespace {

std::uint8_t to_byte(int value) { return static_cast<std::uint8_t>(std::clamp(value, 0, 255)); }

// One output of a pass: fixed-point weights of consecutive source pixels.
struct Window {
  int first = 0;
  std::vector<int> weights;
};

double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

constexpr int pillow_bits = 22;

// Pillow's Resample.c, precompute_coeffs and normalize_coeffs_8bpc.
std::vector<Window> pillow_windows(int from, int to) {
  const double scale = static_cast<double>(from) / to, widening = std::max(scale, 1.0), support = 2 * widening;
  std::vector<Window> windows;
  for (int i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * scale;
    const int first = std::max(static_cast<int>(centre - support + 0.5), 0);
    const int last = std::min(static_cast<int>(centre + support + 0.5), from);
    std::vector<double> weights;
    double sum = 0;
    for (int k = first; k < last; ++k) {
      weights.push_back(bicubic((k - centre + 0.5) / widening));
      sum += weights.back();
    }
    Window window{first, {}};
    for (const double weight : weights) {
      const double fixed = weight / sum * (1 << pillow_bits);
      window.weights.push_back(static_cast<int>(fixed < 0 ? fixed - 0.5 : fixed + 0.5));
    }
    windows.push_back(std::move(window));
  }
  return windows;
}

// `step` is the distance of two source values that are summed.
std::uint8_t weighted(const Window& window, const std::uint8_t* from, std::ptrdiff_t step) {
  int sum = 1 << (pillow_bits - 1);
  for (std::size_t k = 0; k < window.weights.size(); ++k) {
    sum += from[(window.first + static_cast<std::ptrdiff_t>(k)) * step] * window.weights[k];
  }
  return to_byte(sum >> pillow_bits);
}

constexpr int cubic_bits = 11;

struct CubicWindow {
  std::array<int, 4> source, weight;
};

// OpenCV's interpolateCubic, in float, and its rounding of the weights to 2048ths.
std::array<int, 4> cubic_weights(float x) {
  constexpr float a = -0.75F;
  const float w0 = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a;
  const float w1 = ((a + 2) * x - (a + 3)) * x * x + 1;
  const float w2 = ((a + 2) * (1 - x) - (a + 3)) * (1 - x) * (1 - x) + 1;
  const auto fixed = [](float w) { return static_cast<int>(std::lrint(w * (1 << cubic_bits))); };
  return {fixed(w0), fixed(w1), fixed(w2), fixed(1.0F - w0 - w1 - w2)};
}

std::vector<CubicWindow> cubic_windows(int from, int to) {
  const double scale = 1.0 / (static_cast<double>(to) / from);
  std::vector<CubicWindow> windows;
  for (int i = 0; i < to; ++i) {
    const float centre = static_cast<float>((i + 0.5) * scale - 0.5), whole = std::floor(centre);
    CubicWindow window{{}, cubic_weights(centre - whole)};
    for (int k = 0; k < 4; ++k) {
      window.source[static_cast<std::size_t>(k)] = std::clamp(static_cast<int>(whole) - 1 + k, 0, from - 1);
    }
    windows.push_back(window);
  }
  return windows;
}

}  // namespace

Image resize_as_pillow(const Image& image, int left, int top, int right, int bottom, int size) {
  const auto columns = pillow_windows(right - left, size), rows = pillow_windows(bottom - top, size);
  Image narrow(size, bottom - top), result(size, size);
  for (int y = 0; y < narrow.height; ++y) {
    const std::uint8_t* from = image.row(top + y) + 3 * left;
    std::uint8_t* to = narrow.row(y);
    for (const Window& column : columns) {
      for (int c = 0; c < 3; ++c) *to++ = weighted(column, from + c, 3);
    }
  }
  for (int y = 0; y < size; ++y) {
    std::uint8_t* to = result.row(y);
    for (int i = 0; i < size * 3; ++i) to[i] = weighted(rows[static_cast<std::size_t>(y)], narrow.row(0) + i, size * 3);
  }
  return result;
}

Image resize_as_opencv_cubic(const Image& image, int size) {
  const auto columns = cubic_windows(image.width, size), rows = cubic_windows(image.height, size);
  Image result(size, size);
  for (int y = 0; y < size; ++y) {
    const CubicWindow& row = rows[static_cast<std::size_t>(y)];
    for (int i = 0; i < size * 3; ++i) {
      const CubicWindow& column = columns[static_cast<std::size_t>(i / 3)];
      int sum = 1 << (2 * cubic_bits - 1);
      for (std::size_t j = 0; j < 4; ++j) {
        const std::uint8_t* from = image.row(row.source[j]) + i % 3;
        int across = 0;
        for (std::size_t k = 0; k < 4; ++k) across += from[3 * column.source[k]] * column.weight[k];
        sum += across * row.weight[j];
      }
      result.row(y)[i] = to_byte(sum >> (2 * cubic_bits));
    }
  }
  return result;
}

}  // namespace wajah
