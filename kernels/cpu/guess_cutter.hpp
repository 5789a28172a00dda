// Cuts a window out of a photo and makes it as many bytes as a network's input has pixels: the areas of
// resample.cpp without OpenCV's order of rounding, which guesses need not keep. Rows are summed first, straight from
// the photo's bytes, a register of them at a time; what is left are `side` short rows, of which the columns are summed.
#pragma once

#include <wajah/detect/resample.hpp>

#include "vec_int8.hpp"

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

// `lanes` bytes as floats.
WAJAH_VEC Vec widen_bytes(const uint8_t* p) {
#if defined(__AVX512F__)
  return Vec(_mm512_maskz_cvtepi32_ps(
      all_lanes, _mm512_maskz_cvtepu8_epi32(all_lanes, _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))));
#elif defined(__AVX2__)
  return Vec(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))));
#else
  return Vec(
      Floats{static_cast<float>(p[0]), static_cast<float>(p[1]), static_cast<float>(p[2]), static_cast<float>(p[3])});
#endif
}

// Which source rows or columns make output `i`, and with which weights.
struct Reached {
  int first = 0, count = 0;
  float before = 0, middle = 0, after = 0;  // weights of the first, of those between, of the last

  WAJAH_VEC Reached() = default;
  // Of `size` pixels resized to `side`; only those inside [begin, end).
  WAJAH_VEC Reached(int i, int size, int side, bool shrinks, int begin, int end) {
    const float scale = static_cast<float>(size) / static_cast<float>(side);
    int last;
    if (shrinks) {
      const float from = static_cast<float>(i) * scale, to = from + scale;
      first = static_cast<int>(from);
      last = static_cast<int>(to);
      last = last > size - 1 ? size - 1 : last;
      middle = 1.0F / scale;
      before = (static_cast<float>(first + 1) - from) * middle;
      after = (to - static_cast<float>(last)) * middle;
      if (first == last) before = after = 1.0F;
    } else {
      first = static_cast<int>(static_cast<float>(i) * scale);
      float fraction = static_cast<float>(i + 1) - static_cast<float>(first + 1) / scale;
      fraction = fraction <= 0 ? 0.0F : fraction - static_cast<float>(static_cast<int>(fraction));
      last = first + 1 < size ? first + 1 : first;
      before = last == first ? 1.0F : 1.0F - fraction;
      middle = 0;
      after = fraction;
    }
    count = last - first + 1;
    if (first < begin) {
      before = begin == last ? after : middle;
      count -= begin - first;
      first = begin;
    }
    if (first + count > end) {
      after = middle;
      count = end - first;
    }
    if (count < 0) count = 0;
  }

  [[nodiscard]] WAJAH_VEC float weight(int k) const { return k == 0 ? before : k + 1 == count ? after : middle; }
};

class Cutter {
 public:
  // scratch: 2 * guess_row_floats(columns of the window inside x).
  WAJAH_VEC Cutter(ConstView<uint8_t> x, CropWindow window, int side, float* scratch)
      : x_(x), window_(window), side_(side), shrinks_(window.width >= side && window.height >= side) {
    left_ = window.x < 0 ? -window.x : 0;
    right_ = window.x + window.width > x.shape.w ? x.shape.w - window.x : window.width;
    top_ = window.y < 0 ? -window.y : 0;
    bottom_ = window.y + window.height > x.shape.h ? x.shape.h - window.y : window.height;
    row_ = scratch;
    const ptrdiff_t each = guess_row_floats(right_ > left_ ? right_ - left_ : 0);
    tail_ = reinterpret_cast<uint8_t*>(scratch + each);
    other_tail_ = tail_ + 2 * each;  // bytes: half of as many floats
  }

  // y: side x side pixels of R G B and one of no meaning.
  WAJAH_VEC void cut(uint8_t* y) {
    if (right_ <= left_ || bottom_ <= top_) right_ = left_, bottom_ = top_;
    for (int i = 0; i < side_; ++i) columns_[i] = Reached(i, window_.width, side_, shrinks_, left_, right_);
    for (int j = 0; j < side_; ++j, y += 4 * side_) {
      const Reached rows(j, window_.height, side_, shrinks_, top_, bottom_);
      fetch(rows.first + rows.count, rows.count);
      sum_rows(rows);
      sum_columns(y);
    }
  }

 private:
  using Pixel = float __attribute__((vector_size(16)));

  // The photo's row, of which `lanes` bytes more than the window has can be read.
  WAJAH_VEC const uint8_t* source(int row, uint8_t* tail) const {
    const int y = window_.y + row, bytes = 3 * (right_ - left_);
    const uint8_t* p = x_.pixel(0, y, window_.x + left_);
    if (y + 1 < x_.shape.h && 3 * x_.shape.w >= lanes) return p;
    __builtin_memcpy(tail, p, static_cast<size_t>(bytes));
    return tail;
  }

  // Begins to load the next rows: each lies in another page, and no hardware guesses which.
  WAJAH_VEC void fetch(int row, int count) const {
    for (int r = row; r < row + count && r < bottom_; ++r) {
      const uint8_t* end = x_.pixel(0, window_.y + r, window_.x + right_);
      for (const uint8_t* p = x_.pixel(0, window_.y + r, window_.x + left_); p < end; p += alignment)
        __builtin_prefetch(p);
    }
  }

  WAJAH_VEC void sum_rows(const Reached& rows) {
    const int values = 3 * (right_ - left_);
    if (rows.count == 0) {
      for (int i = 0; i < values + 1; i += lanes) Vec(0.0F).store(row_ + i);
      return;
    }
    for (int k = 0; k < rows.count; k += k == 0 ? 2 : 1) {
      const uint8_t* p = source(rows.first + k, tail_);
      const Vec weight(rows.weight(k));
      if (k == 0) {
        // The first two at once, as there are hardly ever fewer.
        const bool two = rows.count > 1;
        const uint8_t* q = two ? source(rows.first + 1, other_tail_) : p;
        const Vec other(two ? rows.weight(1) : 0.0F);
        for (int i = 0; i < values; i += lanes) {
          fma(widen_bytes(q + i), other, widen_bytes(p + i) * weight).store(row_ + i);
        }
      } else {
        for (int i = 0; i < values; i += lanes) fma(widen_bytes(p + i), weight, Vec::load(row_ + i)).store(row_ + i);
      }
    }
  }

  WAJAH_VEC void sum_columns(uint8_t* y) const {
    alignas(alignment) float pixels[4 * most_side];
    for (int i = 0; i < side_; ++i) {
      const Reached& columns = columns_[i];
      const float* x = row_ + 3 * (columns.first - left_);
      Pixel sum{};
      for (int k = 0; k < columns.count; ++k, x += 3) {
        Pixel pixel;
        __builtin_memcpy(&pixel, x, sizeof pixel);
        sum += pixel * columns.weight(k);
      }
      __builtin_memcpy(pixels + 4 * i, &sum, sizeof sum);
    }
    constexpr float step = 127.0F / 128.0F;
    for (int i = 0; i < 4 * side_; i += lanes) {
      const Vec bytes = fma(Vec::load(pixels + i), Vec(step), Vec(128.0F - 127.5F * step));
      store_bytes(y + i, Lanes(lanes), max(bytes, Vec(0.0F)));
    }
  }

  static constexpr int most_side = 48;

  ConstView<uint8_t> x_;
  CropWindow window_;
  int side_;
  bool shrinks_;
  Reached columns_[most_side];
  int left_, right_, top_, bottom_;  // what of the window lies in the picture
  float* row_;
  uint8_t *tail_, *other_tail_;  // copies of rows that cannot be read beyond their end
};

}  // namespace
}  // namespace wajah::WAJAH_KERNEL_ISA
