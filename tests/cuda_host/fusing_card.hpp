// A card on the host that computes in fp16 and takes residual blocks in one launch, as many images at once as an H200.
#pragma once

#include "emulated_cuda.hpp"

namespace wajah {

inline EmulatedCuda fusing_card() {
  static const CudaDriver driver = [] {  // the card refers to it
    CudaDriver large = host_driver();
    large.describe = [](int, CudaFacts* facts) {
      return *facts = {"the host", 9, 0, 132, std::size_t{4} << 30U, std::size_t{4} << 30U}, 0;
    };
    return large;
  }();
  CudaOptions options;
  options.memory_fraction = 1;
  options.arithmetic = Arithmetic::fp16;
  options.fused_blocks = true;
  return EmulatedCuda(options, driver);
}

}  // namespace wajah
