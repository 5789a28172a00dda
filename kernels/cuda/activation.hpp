// What follows the sum of a convolution.
#pragma once

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

__device__ __forceinline__ float activate(const Activation& activation, float value, int channel) {
  switch (activation.kind) {
    case ActivationKind::identity: return value;
    case ActivationKind::relu: return fmaxf(value, 0.0F);
    case ActivationKind::relu6: return fminf(fmaxf(value, 0.0F), 6.0F);
    case ActivationKind::prelu: return value < 0 ? activation.slope[channel] * value : value;
  }
  return value;
}

}  // namespace wajah::WAJAH_KERNEL_ISA
