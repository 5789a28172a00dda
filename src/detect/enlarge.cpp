// OpenCV enlarges bytes in fixed point: weights of 11 bits, and between the two passes the 22-bit products lose 4 bits
// before, 16 bits after, and 2 bits at the end. Only pictures looked at with a min_size below 12 come here.
#include "enlarge.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace wajah {

namespace {

struct Between {
  int first = 0, second = 0;           // source pixels
  std::array<int, 2> weight{2048, 0};  // in 2048ths
};

// Half-way cases go to even, as OpenCV's saturate_cast<short> does by the processor's default rounding.
int fixed_point(float weight) { return static_cast<int>(std::lrint(weight * 2048.0F)); }

// Vertically OpenCV keeps both weights at the far edge and repeats the row; horizontally it takes the last pixel whole.
Between between(int i, int from, int to, bool whole_at_edge) {
  const double inverse = static_cast<double>(to) / from, scale = 1.0 / inverse;
  const int first = static_cast<int>(std::floor(i * scale));
  float fraction = static_cast<float>((i + 1) - (first + 1) * inverse);
  fraction = fraction <= 0 ? 0.0F : fraction - std::floor(fraction);
  if (whole_at_edge && first >= from - 1) return {from - 1, from - 1, {2048, 0}};
  return {
      std::min(first, from - 1), std::min(first + 1, from - 1), {fixed_point(1.0F - fraction), fixed_point(fraction)}};
}

}  // namespace

void enlarge_rows(const Image& image, int width, int height, int first_row, View<float> y) {
  std::vector<Between> columns;
  for (int i = 0; i < width; ++i) columns.push_back(between(i, image.width, width, true));
  for (int j = 0; j < y.shape.h; ++j) {
    const Between row = between(first_row + j, image.height, height, false);
    const std::uint8_t *above = image.row(row.first), *below = image.row(row.second);
    float* out = y.pixel(0, j, 0);
    for (const Between& column : columns) {
      for (int c = 0; c < 3; ++c) {
        const int left = column.first * 3 + c, right = column.second * 3 + c;
        const int upper = above[left] * column.weight[0] + above[right] * column.weight[1];
        const int lower = below[left] * column.weight[0] + below[right] * column.weight[1];
        const int byte = ((row.weight[0] * (upper >> 4) >> 16) + (row.weight[1] * (lower >> 4) >> 16) + 2) >> 2;
        *out++ = (static_cast<float>(byte) - 127.5F) * 0.0078125F;
      }
    }
  }
}

}  // namespace wajah
