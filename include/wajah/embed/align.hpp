// Laying landmarks on a template, and sampling a photo through a transform.
#pragma once

#include <wajah/detect/box.hpp>
#include <wajah/image.hpp>

#include <span>

namespace wajah {

// p -> (xx p.x + xy p.y + tx, yx p.x + yy p.y + ty)
struct Affine {
  double xx = 1, xy = 0, tx = 0;
  double yx = 0, yy = 1, ty = 0;

  // Rotation and scale by the complex number a + bi, then a shift.
  [[nodiscard]] static Affine similarity(double a, double b, double tx, double ty);
  [[nodiscard]] Point operator()(Point p) const { return {xx * p.x + xy * p.y + tx, yx * p.x + yy * p.y + ty}; }
  // Throws Error (input) if there is none.
  [[nodiscard]] Affine inverse() const;
};

// The rotation, scale and shift that bring `from` nearest to `to` in the least-squares sense (Umeyama 1991, in closed
// form for the plane without reflections). Needs as many points in both, at least two. Throws Error (input) if all of
// `from` coincide or a value is not finite.
[[nodiscard]] Affine fit_similarity(std::span<const Point> from, std::span<const Point> to);

// A picture of width x height whose pixel p shows the photo at `to_photo`(p): bilinear where the photo is enlarged or
// kept, the mean over the pixel where it is shrunk; black outside the photo. Pixel centres are whole numbers.
[[nodiscard]] Image warp(const Image& photo, const Affine& to_photo, int width, int height);

}  // namespace wajah
