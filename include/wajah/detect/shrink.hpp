// shrink: the kernel that makes all levels of an image pyramid in one walk down the picture, as bytes.
#pragma once

#include <wajah/detect/resample.hpp>

namespace wajah {

// Some consecutive rows of one level. Its taps average areas: every count is 1 or more, and `first` never falls.
struct ShrinkLevel {
  Taps columns{}, rows{};  // as many as y has columns and rows
  View<uint8_t> y{};       // one dense picture of 4 channels: R G B and one without meaning
  float scale = 1.0F;
  Rounding rounding = Rounding::half_even;
};

// Where a part's walk stands in one level.
struct ShrinkWalk {
  float* total = nullptr;  // of the row that is being summed
  int row = 0, end = 0;
};

// The arithmetic is resample's.
struct ShrinkArgs {
  ConstView<uint8_t> x{};  // one dense picture of 3 channels
  const ShrinkLevel* levels = nullptr;
  int count = 0;
  ShrinkWalk* walks = nullptr;   // count for each part
  float* scratch = nullptr;      // scratch_floats for each part
  ptrdiff_t scratch_floats = 0;  // at least shrink_scratch of all columns of x, of the widest y, and of all y together
};

[[nodiscard]] WAJAH_INLINE ptrdiff_t shrink_scratch(ptrdiff_t source, ptrdiff_t widest, ptrdiff_t all, int count) {
  constexpr ptrdiff_t floats_per_pixel = 4, most_rows_at_once = 4, beyond = 16;
  return floats_per_pixel * (most_rows_at_once * (source + widest + beyond) + all + count * beyond);
}

WAJAH_KERNEL(shrink, ShrinkArgs)

}  // namespace wajah
