// resample: the kernel behind area resizing. Rows and columns are weighted sums whose weights the caller has tabulated,
// and the result goes straight into a network's input as (x - 127.5) * 0.0078125.
#pragma once

#include <wajah/cpu.hpp>

namespace wajah {

// A part of a picture that may reach beyond it, where all is black.
struct CropWindow {
  int x = 0, y = 0, width = 0, height = 0;
};

// Output i is the sum over k < count[i] of weights[start[i] + k] * source[first[i] + k]; a count may be 0.
struct Taps {
  const int* first = nullptr;
  const int* count = nullptr;
  const int* start = nullptr;
  const float* weights = nullptr;
};

// What happens to a sum, after multiplying by `scale`: stays as it is, or becomes a whole number.
enum class Rounding { none, half_even, half_up };

struct ResampleJob {
  ConstView<uint8_t> x{};  // one dense picture of 3 channels
  View<float> y{};         // one dense picture of 3 channels: as many rows and columns as the taps make
  Taps columns{}, rows{};
  float scale = 1.0F;
  Rounding rounding = Rounding::none;
};

// Every product and every sum is rounded to float by itself, columns first, in ascending order: OpenCV's arithmetic.
struct ResampleArgs {
  const ResampleJob* jobs = nullptr;  // the parts of the kernel share these out
  int count = 0;
  float* scratch = nullptr;      // scratch_floats for each part
  ptrdiff_t scratch_floats = 0;  // at least resample_scratch(widest x, widest y)
};

[[nodiscard]] WAJAH_INLINE ptrdiff_t resample_scratch(ptrdiff_t source, ptrdiff_t columns) {
  constexpr ptrdiff_t most_rows_at_once = 4, floats_per_pixel = 4, beyond = 4;
  return floats_per_pixel * (most_rows_at_once * source + (most_rows_at_once + 1) * (columns + beyond));
}

WAJAH_KERNEL(resample, ResampleArgs)

}  // namespace wajah
