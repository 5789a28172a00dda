// How a Cpu lays out the weights of a convolution over 16-bit maps.
#pragma once

#include <wajah/cpu_half.hpp>

namespace wajah {

// (taps, in, out) -> panels of vectors of output channels (kernels/cpu/conv2d_panels.hpp), two input channels side by
// side for each output channel; `in` is even. Then `zeros` zeros.
struct PackPanelsHalfArgs {
  const float* weights = nullptr;
  uint16_t* packed = nullptr;  // round_up(out) * taps * in + zeros halves
  int taps = 1, in = 2, out = 1, zeros = 0;
};
WAJAH_KERNEL_FP16(pack_panels_half, PackPanelsHalfArgs)

}  // namespace wajah
