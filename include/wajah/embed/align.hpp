// Similarity transforms between landmarks, and sampling a photo through one.
#pragma once

#include <wajah/detect/box.hpp>
#include <wajah/image.hpp>

#include <span>

namespace wajah {

// p -> (a x - b y + tx, b x + a y + ty): rotation and scale by (a, b), then a shift. No reflection.
struct Similarity {
  double a = 1, b = 0, tx = 0, ty = 0;

  [[nodiscard]] Point operator()(Point p) const { return {a * p.x - b * p.y + tx, b * p.x + a * p.y + ty}; }
  [[nodiscard]] Similarity inverse() const;
};

// The similarity that brings `from` nearest to `to` in the least-squares sense (Umeyama 1991, in closed form for the
// plane without reflections). Needs as many points in both, at least two. Throws Error (input) if all of `from`
// coincide or a value is not finite.
[[nodiscard]] Similarity fit_similarity(std::span<const Point> from, std::span<const Point> to);

// A picture of width x height whose pixel p shows the photo at `to_photo`(p), bilinearly; black outside the photo.
// Pixel centres are whole numbers.
[[nodiscard]] Image warp(const Image& photo, const Similarity& to_photo, int width, int height);

}  // namespace wajah
