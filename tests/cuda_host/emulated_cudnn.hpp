// The host as a card with a cuDNN: convolutions are graphs that the fake computes, the rest is kernels/cuda.
#pragma once

#include <wajah/cudnn.hpp>

#include "cuda_host/emulated_cuda.hpp"
#include "cuda_host/fake_cudnn.hpp"

namespace wajah {

inline WithCudnn<EmulatedCuda> emulated_cudnn(Arithmetic arithmetic) {
  return WithCudnn<EmulatedCuda>(EmulatedCuda(arithmetic), fake_cudnn());
}

}  // namespace wajah
