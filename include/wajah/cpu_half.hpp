// Kernels over 16-bit maps on a CPU. Where it has half arithmetic (AVX512-FP16) they have a build of their own;
// elsewhere they compute in float with the same results but for rounding, which serves tests and comparisons, not
// speed.
#pragma once

#include <wajah/cpu.hpp>

#if defined(WAJAH_KERNEL_CUDA) || defined(WAJAH_KERNEL_ISA)

#define WAJAH_KERNEL_FP16(name, Args) WAJAH_KERNEL(name, Args)

#else

namespace wajah {

// Whether this CPU multiplies halves: CPUID says so, or WAJAH_FP16=1 in the environment, because some virtual machines
// hide what their CPU can do. WAJAH_FP16=0 says it does not. Throws Error (usage) if it is something else.
[[nodiscard]] bool has_half_arithmetic();

// Throws Error (device) where this device has to compute 16-bit maps in float, which is slower than float maps are.
void require_half_arithmetic(const Cpu& cpu);

}  // namespace wajah

// A kernel over 16-bit maps; its file says WAJAH_HAS_FP16, so that the build compiles it for these.
#define WAJAH_KERNEL_FP16(name, Args)                                          \
  WAJAH_KERNEL_CUDA_DECLARE(name, Args)                                        \
  WAJAH_KERNEL_DECLARE(scalar, name, Args)                                     \
  WAJAH_KERNEL_DECLARE(avx2, name, Args)                                       \
  WAJAH_KERNEL_DECLARE(avx512_fp16, name, Args)                                \
  inline void name(const ::wajah::Cpu& cpu, const Args& args) {                \
    if (cpu.isa() >= ::wajah::Isa::avx512 && ::wajah::has_half_arithmetic()) { \
      return cpu.run(avx512_fp16::name, args);                                 \
    }                                                                          \
    if (cpu.isa() >= ::wajah::Isa::avx2) return cpu.run(avx2::name, args);     \
    cpu.run(scalar::name, args);                                               \
  }

#endif
