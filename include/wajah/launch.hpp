// Launch: what a CUDA kernel's file needs to know of the device besides its args, a plain struct; and how the overloads
// for the devices that run kernels/cuda are declared.
#pragma once

#include <stddef.h>

namespace wajah {

// What a convolution multiplies in; sums are always float32. fp32: plain FFMA, the products of the CPU. tf32: 10 bits
// of mantissa (tensor cores since Ampere). fp16, bf16: 10 and 7 bits, and half the bytes of weights and, in networks of
// that form (layers/halved.hpp), of maps. int8: bytes with exact sums, in networks of that form (layers/quantised.hpp);
// what such a network keeps in floats is multiplied in fp32.
enum class Arithmetic { fp32, tf32, fp16, bf16, int8 };
inline constexpr int arithmetics = 5;

struct TensorMap;  // tensor_map.hpp
struct TensorMapPlan;

struct Launch {
  void* stream = nullptr;  // a cudaStream_t
  Arithmetic arithmetic = Arithmetic::fp32;
  int processors = 1;         // multiprocessors: how many blocks make the card busy
  float* partials = nullptr;  // scratch of the device, for sums that several blocks make together
  size_t partial_bytes = 0;
  bool dependent = false;  // a kernel may be placed on the card while the one before it ends, and waits for it itself
  // CudaDriver's, for kernels that multiply by warpgroups (wgmma) what the TMA brings: null where the card has neither
  // or nobody has asked for them (CudaOptions::warpgroup_products).
  int (*make_tensor_map)(TensorMap* map, const TensorMapPlan& plan) = nullptr;
};

}  // namespace wajah

#ifndef WAJAH_KERNEL_ISA

namespace wajah {

class Cuda;          // cuda.hpp
class EmulatedCuda;  // tests/cuda_host: the same sources compiled as plain C++, run by the host
[[nodiscard]] const Launch& launch_of(const Cuda& cuda);
[[nodiscard]] const Launch& launch_of(const EmulatedCuda& cuda);

// What the emulated device throws for an operation without a file in kernels/cuda.
struct NoCudaKernel {
  const char* name;
};

}  // namespace wajah

// A kernel that is missing does not link where a Cuda is used. The emulated overload is for tests, which learn that
// there is nothing to test.
#define WAJAH_KERNEL_CUDA_DECLARE(name, Args)                                                                       \
  namespace cuda {                                                                                                  \
  void name(const Args& args, const ::wajah::Launch& on);                                                           \
  }                                                                                                                 \
  inline void name(const ::wajah::Cuda& device, const Args& args) { cuda::name(args, ::wajah::launch_of(device)); } \
  namespace cuda_host {                                                                                             \
  [[gnu::weak]] void name(const Args& args, const ::wajah::Launch& on);                                             \
  }                                                                                                                 \
  inline void name(const ::wajah::EmulatedCuda& device, const Args& args) {                                         \
    if (&cuda_host::name == nullptr) throw ::wajah::NoCudaKernel{#name};                                            \
    cuda_host::name(args, ::wajah::launch_of(device));                                                              \
  }

#endif
