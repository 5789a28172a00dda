// Quality: is this face good enough to remember somebody by? Measures that mean the same for every photo, the limits an
// enrolment sets, and what a face lacks.
//
// Measured on the face laid on a grid of 112 x 112 grey pixels (embed/align.hpp), which is about what an embedding
// network sees: blur that vanishes when a large photo is shrunk does no harm and is not counted.
//
// The limits come from the central faces of 8,069 photos of LFW, taken by press photographers and so ordinary:
//
//   measure              0.1 %   1 %   50 %   99 %  99.9 %     refused: standard        strict
//   size (pixels)           64    76     92    115     136              below 40      below 64
//   detection            0.979 0.996      1      1       1            below 0.80    below 0.95
//   sharpness             0.18  0.24   0.39   0.54    0.58            below 0.19    below 0.28
//   light p95              103   123    185    242     253              below 70     below 100
//   light p50               53    71    132    189     206             above 215     above 195
//   contrast                56    68    128    206     226              below 40      below 60
//   yaw (degrees)            -     -     10     40      53              above 50      above 30
//   pitch                    -     -      7     28      41              above 40      above 25
//   roll                     -     -      4     18      25              above 45      above 25
//   refused of them all                                                    0.5 %        10.8 %
//
// A Gaussian blur of 2 pixels (of LFW's 250) makes 95 % of those faces too blurred for `standard`.
// `wajah enrol --check` measures any folder; docs/enrolment.md has the shares that are refused.
#pragma once

#include <wajah/detect/box.hpp>
#include <wajah/image.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace wajah {

// Degrees; 0, 0, 0 looks into the camera. Positive: the nose points to the right of the picture, down, and the head is
// tilted clockwise as seen in the picture.
struct Pose {
  double yaw = 0, pitch = 0, roll = 0;
};

// From the landmarks alone, under weak perspective (the first step of POSIT, DeMenthon and Davis 1995), with a mean
// face that was factored out of the landmarks of LFW (Tomasi and Kanade 1992). Good to about ten degrees; profiles come
// out too small, because a detector keeps both eyes in sight. Landmarks in one place or in one line give zeros.
[[nodiscard]] Pose pose_of(const Landmarks& points);

struct FaceMeasures {
  double size = 0;       // shorter side of the box in pixels of the photo
  double detection = 0;  // the detector's score, 0 to 1
  double sharpness = 0;  // 1 - perceptual blur (Crete et al. 2007), 0 to 1; does not depend on light or contrast
  double p5 = 0, p50 = 0, p95 = 0;  // percentiles of the face's luma, 0 to 255
  double outside = 0;               // share of the face that lies beyond the photo's edge
  Pose pose;

  [[nodiscard]] double contrast() const { return p95 - p5; }
};

// Throws Error (input) on an empty photo, or landmarks that all lie in one place.
[[nodiscard]] FaceMeasures measure_face(const Image& photo, const Face& face);

enum class QualityIssue { unclear, too_small, blurred, dark, bright, low_contrast, turned, cut_off };

// "too_small": stable, for programs.
[[nodiscard]] std::string_view name_of(QualityIssue issue);

// What a face must reach. The defaults refuse nothing.
struct QualityLimits {
  double detection = 0, size = 0, sharpness = 0;  // at least
  double p95 = 0, p50 = 255, contrast = 0;        // at least; at most; at least
  double yaw = 180, pitch = 180, roll = 180;      // at most, to either side
  double outside = 1;                             // at most
};

inline constexpr QualityLimits standard_limits{0.80, 40, 0.19, 70, 215, 40, 50, 40, 45, 0.15};
inline constexpr QualityLimits strict_limits{0.95, 64, 0.28, 100, 195, 60, 30, 25, 25, 0.02};

// score: 0 (useless) to 1 (as good as matters), that of the worst measure, whatever the limits. issues: the limits that
// are missed, the gravest first.
struct Quality {
  double score = 0;
  std::vector<QualityIssue> issues;
};

[[nodiscard]] Quality judge(const FaceMeasures& measures, const QualityLimits& limits);

// "the face is 31 pixels wide, expected 40 or more": why `issue` was found, for people.
[[nodiscard]] std::string reason_of(QualityIssue issue, const FaceMeasures& measures, const QualityLimits& limits);

}  // namespace wajah
