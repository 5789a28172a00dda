#include <wajah/embed/align.hpp>
#include <wajah/embed/crop.hpp>
#include <wajah/error.hpp>
#include <wajah/quality.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

namespace wajah {

namespace {

constexpr int grid = 112;
// Forehead to chin and cheek to cheek on the template: no hair, no background.
constexpr int left = 20, right = 92, top = 30, bottom = 106;

using Grey = std::vector<double>;  // grid x grid, row by row

std::size_t index(int x, int y) { return static_cast<std::size_t>(y * grid + x); }

Grey grey_of(const Image& image) {
  Grey grey(static_cast<std::size_t>(grid * grid));
  const std::uint8_t* pixel = image.pixels.data();
  for (double& value : grey) {
    value = 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];  // ITU-R BT.601
    pixel += 3;
  }
  return grey;
}

// How much of the variation between neighbours survives a box blur along `step`, 0 to 1: in a picture that was blurred
// before, nearly all of it. Crete et al. 2007 take a box of 9 on whole photographs; 5 tells faces of this size better.
double blur_along(const Grey& grey, int step) {
  constexpr int reach = 2;
  double variation = 0, lost = 0;
  for (int y = top; y < bottom; ++y) {
    for (int x = left; x < right; ++x) {
      const double* at = grey.data() + index(x, y);
      const double difference = std::abs(at[0] - at[-step]);
      const double blurred = std::abs(at[reach * step] - at[-(reach + 1) * step]) / (2 * reach + 1);
      variation += difference;
      lost += std::max(0.0, difference - blurred);
    }
  }
  return variation > 0 ? (variation - lost) / variation : 1;
}

double sharpness_of(const Grey& grey) { return 1 - std::max(blur_along(grey, 1), blur_along(grey, grid)); }

void measure_light(const Grey& grey, FaceMeasures& measures) {
  std::array<int, 256> histogram{};
  for (int y = top; y < bottom; ++y) {
    for (int x = left; x < right; ++x) ++histogram[static_cast<std::size_t>(std::lround(grey[index(x, y)]))];
  }
  const auto percentile = [&](double share) {
    double rest = share * (bottom - top) * (right - left);
    std::size_t luma = 0;
    while (luma < 255 && (rest -= histogram[luma]) >= 0) ++luma;
    return static_cast<double>(luma);
  };
  measures.p5 = percentile(0.05);
  measures.p50 = percentile(0.50);
  measures.p95 = percentile(0.95);
}

double share_outside(const Image& photo, const Affine& to_photo) {
  constexpr int step = 4;
  int outside = 0, all = 0;
  for (int y = step / 2; y < grid; y += step) {
    for (int x = step / 2; x < grid; x += step, ++all) {
      const Point p = to_photo({static_cast<double>(x), static_cast<double>(y)});
      if (!(p.x >= 0 && p.y >= 0 && p.x <= photo.width - 1 && p.y <= photo.height - 1)) ++outside;
    }
  }
  return static_cast<double>(outside) / all;
}

struct Vector {
  double x = 0, y = 0, z = 0;
};

// Eyes, nose and mouth corners of the mean face, their centre at 0, eyes 1 apart; y points down, z away from the
// camera.
constexpr std::array<Vector, 5> mean_face{
    {{-0.5, -0.547, -0.005}, {0.5, -0.547, -0.005}, {0, 0.035, -0.426}, {-0.446, 0.529, 0.219}, {0.446, 0.529, 0.219}}};

// What the least-squares map from the mean face to the numbers `v` multiplies x, y and z by. The mean face is
// symmetric, so x stands by itself.
Vector fit(const std::array<double, 5>& v) {
  double xx = 0, yy = 0, yz = 0, zz = 0, xv = 0, yv = 0, zv = 0;
  for (std::size_t i = 0; i < v.size(); ++i) {
    const auto& [x, y, z] = mean_face[i];
    xx += x * x, yy += y * y, yz += y * z, zz += z * z;
    xv += x * v[i], yv += y * v[i], zv += z * v[i];
  }
  const double determinant = yy * zz - yz * yz;
  return {xv / xx, (zz * yv - yz * zv) / determinant, (yy * zv - yz * yv) / determinant};
}

bool normalise(Vector& v) {
  const double length = std::sqrt(v.x * v.x + v.y * v.y + v.z * v.z);
  if (!(length > 1e-9)) return false;
  v = {v.x / length, v.y / length, v.z / length};
  return true;
}

Vector mix(const Vector& a, const Vector& b, double sign) {
  return {a.x + sign * b.x, a.y + sign * b.y, a.z + sign * b.z};
}

// 0 at `useless`, 1 at `good`, in either direction.
double grade(double value, double useless, double good) {
  return std::clamp((value - useless) / (good - useless), 0.0, 1.0);
}

double score_of(const FaceMeasures& m) {
  return std::min({grade(m.detection, 0.5, 0.99), grade(m.size, 20, 112), grade(m.sharpness, 0.10, 0.40),
                   grade(m.p95, 40, 150), grade(m.p50, 245, 190), grade(m.contrast(), 20, 100),
                   grade(std::abs(m.pose.yaw), 70, 10), grade(std::abs(m.pose.pitch), 55, 10),
                   grade(std::abs(m.pose.roll), 90, 25), grade(m.outside, 0.3, 0)});
}

bool turned(const Pose& pose, const QualityLimits& limits) {
  return std::abs(pose.yaw) > limits.yaw || std::abs(pose.pitch) > limits.pitch || std::abs(pose.roll) > limits.roll;
}

std::string which_way(const Pose& pose, const QualityLimits& limits) {
  if (std::abs(pose.yaw) > limits.yaw) {
    return fmt::format("the face looks {:.0f} degrees to the side, expected {:.0f} or less", std::abs(pose.yaw),
                       limits.yaw);
  }
  if (std::abs(pose.pitch) > limits.pitch) {
    return fmt::format("the face looks {:.0f} degrees {}, expected {:.0f} or less", std::abs(pose.pitch),
                       pose.pitch > 0 ? "down" : "up", limits.pitch);
  }
  return fmt::format("the head is tilted by {:.0f} degrees, expected {:.0f} or less", std::abs(pose.roll), limits.roll);
}

}  // namespace

Pose pose_of(const Landmarks& points) {
  std::array<double, 5> xs{}, ys{};
  double x_mean = 0, y_mean = 0;
  for (const Point& p : points) x_mean += p.x / 5, y_mean += p.y / 5;
  for (std::size_t i = 0; i < points.size(); ++i) xs[i] = points[i].x - x_mean, ys[i] = points[i].y - y_mean;
  Vector across = fit(xs), down = fit(ys);
  if (!normalise(across) || !normalise(down)) return {};
  // The nearest pair at right angles: sum and difference of unit vectors are so already.
  Vector sum = mix(across, down, 1), difference = mix(across, down, -1);
  if (!normalise(sum) || !normalise(difference)) return {};
  across = mix(sum, difference, 1), down = mix(sum, difference, -1);
  normalise(across), normalise(down);
  const Vector behind{across.z, down.z, across.x * down.y - across.y * down.x};  // where the back of the head points to
  constexpr double degrees = 180 / std::numbers::pi;
  return {std::atan2(-behind.x, std::abs(behind.z)) * degrees,
          std::atan2(-behind.y, std::hypot(behind.x, behind.z)) * degrees, std::atan2(down.x, across.x) * degrees};
}

FaceMeasures measure_face(const Image& photo, const Face& face) {
  if (photo.empty()) fail(ErrorKind::input, "a face cannot be measured in an empty picture");
  const Affine to_photo = fit_similarity(face.points, landmark_template(grid)).inverse();
  const Grey grey = grey_of(warp(photo, to_photo, grid, grid));
  FaceMeasures measures;
  measures.size = std::min(face.box.width(), face.box.height());
  measures.detection = static_cast<double>(face.score);
  measures.sharpness = sharpness_of(grey);
  measure_light(grey, measures);
  measures.outside = share_outside(photo, to_photo);
  measures.pose = pose_of(face.points);
  return measures;
}

std::string_view name_of(QualityIssue issue) {
  switch (issue) {
    case QualityIssue::unclear: return "unclear";
    case QualityIssue::too_small: return "too_small";
    case QualityIssue::blurred: return "blurred";
    case QualityIssue::dark: return "dark";
    case QualityIssue::bright: return "bright";
    case QualityIssue::low_contrast: return "low_contrast";
    case QualityIssue::turned: return "turned";
    case QualityIssue::cut_off: return "cut_off";
  }
  return "unknown";
}

Quality judge(const FaceMeasures& measures, const QualityLimits& limits) {
  Quality quality{score_of(measures), {}};
  const auto check = [&](bool missed, QualityIssue issue) {
    if (missed) quality.issues.push_back(issue);
  };
  check(measures.size < limits.size, QualityIssue::too_small);
  check(measures.outside > limits.outside, QualityIssue::cut_off);
  check(measures.p95 < limits.p95, QualityIssue::dark);
  check(measures.p50 > limits.p50, QualityIssue::bright);
  check(measures.contrast() < limits.contrast, QualityIssue::low_contrast);
  check(measures.sharpness < limits.sharpness, QualityIssue::blurred);
  check(turned(measures.pose, limits), QualityIssue::turned);
  check(measures.detection < limits.detection, QualityIssue::unclear);
  return quality;
}

std::string reason_of(QualityIssue issue, const FaceMeasures& m, const QualityLimits& limits) {
  switch (issue) {
    case QualityIssue::unclear: return "what was found hardly looks like a face; use a clearer photo";
    case QualityIssue::too_small:
      return fmt::format("the face is too small ({:.0f} pixels, expected {:.0f} or more); come nearer", m.size,
                         limits.size);
    case QualityIssue::blurred:
      return fmt::format("the face is blurred (sharpness {:.2f}, expected {:.2f} or more); hold the camera still",
                         m.sharpness, limits.sharpness);
    case QualityIssue::dark:
      return fmt::format("the face is too dark (light {:.0f} of 255, expected {:.0f} or more); use more light", m.p95,
                         limits.p95);
    case QualityIssue::bright:
      return fmt::format("the face is too bright (light {:.0f} of 255, expected {:.0f} or less); use less light", m.p50,
                         limits.p50);
    case QualityIssue::low_contrast:
      return fmt::format(
          "the face has too little contrast ({:.0f} of 255, expected {:.0f} or more); clean the lens or "
          "avoid light from behind",
          m.contrast(), limits.contrast);
    case QualityIssue::turned: return which_way(m.pose, limits) + "; look into the camera";
    case QualityIssue::cut_off:
      return fmt::format(
          "{:.0f} % of the face is beyond the photo's edge, expected {:.0f} % or less; move it into view",
          m.outside * 100, limits.outside * 100);
  }
  return "";
}

}  // namespace wajah
