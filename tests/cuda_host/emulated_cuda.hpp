// EmulatedCuda: a Cuda whose card is the host. Its kernels are the sources of kernels/cuda compiled as plain C++, its
// memory is the host's, between forbidden pages, and filled with not-a-number so that what nobody wrote is found out.
#pragma once

#include <wajah/cuda.hpp>

namespace wajah {

// The host as a card. Tests copy it and let calls fail.
[[nodiscard]] const CudaDriver& host_driver();

class EmulatedCuda : public Cuda {
 public:
  explicit EmulatedCuda(Arithmetic arithmetic = Arithmetic::fp32, const CudaDriver& driver = host_driver(),
                        std::chrono::milliseconds patience = CudaOptions{}.patience)
      : EmulatedCuda(CudaOptions{0, 1.0, arithmetic, patience}, driver) {}
  EmulatedCuda(const CudaOptions& options, const CudaDriver& driver) : Cuda(options, driver) {}
  [[nodiscard]] EmulatedCuda on_own_stream() const { return EmulatedCuda(Cuda::on_own_stream()); }

 private:
  explicit EmulatedCuda(const Cuda& cuda) : Cuda(cuda) {}
};

}  // namespace wajah
