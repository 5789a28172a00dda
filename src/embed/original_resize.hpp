// The two resizers of the original service's crops; private to the library.
#pragma once

#include <wajah/image.hpp>

namespace wajah {

// Pillow's Image.resize(BICUBIC) of columns [left, right) and rows [top, bottom), which must lie in the picture:
// bicubic with a = -0.5, widened by the ratio when shrinking, in fixed point of 22 bits. Columns are summed first, as
// Pillow did when the original was written; Pillow 13 takes rows first where only they shrink.
[[nodiscard]] Image resize_as_pillow(const Image& image, int left, int top, int right, int bottom, int size);

// OpenCV's resize(INTER_CUBIC): bicubic with a = -0.75 on the four nearest pixels at any ratio, in fixed point of 11
// bits.
[[nodiscard]] Image resize_as_opencv_cubic(const Image& image, int size);

}  // namespace wajah
