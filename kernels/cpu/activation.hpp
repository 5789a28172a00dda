// Every activation in one form without branches: x < 0 ? slope * x : x, then no more than a ceiling. The slopes are
// what pack_slopes wrote: 1 for identity, 0 for relu and relu6, PReLU's own.
#pragma once

#include "vec.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

WAJAH_INLINE float ceiling_of(const Activation& activation) {
  return activation.kind == ActivationKind::relu6 ? 6.0F : __builtin_inff();
}

WAJAH_VEC Vec activate(Vec x, Vec slope, Vec ceiling) { return min(if_negative(x, x * slope), ceiling); }

}  // namespace wajah::WAJAH_KERNEL_ISA
