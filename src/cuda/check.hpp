// check_cuda: an error code of CUDA's runtime becomes an Error: device_memory if only memory was lacking, else device.
#pragma once

#include <wajah/cuda_driver.hpp>
#include <wajah/error.hpp>

#include <string_view>

namespace wajah {

inline void check_cuda(const CudaDriver& driver, int error, std::string_view call, int card, std::string_view hint) {
  if (error == 0) return;
  fail(driver.no_room(error) ? ErrorKind::device_memory : ErrorKind::device, "{} on card {}: {}; {}", call, card,
       driver.explain(error), hint);
}

}  // namespace wajah
