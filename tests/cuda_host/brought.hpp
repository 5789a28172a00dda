// What tests share that run on the host build and on a card: values brought to a device, and back, by its own copies,
// and the card itself.
#pragma once

#include <wajah/buffer.hpp>
#include <wajah/cuda.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "check.hpp"

namespace wajah {

template <class Device, class T>
Buffer up(const Device& device, const std::vector<T>& values) {
  return device.uploaded(values.data(), values.size() * sizeof(T));
}

template <class T, class Device>
std::vector<T> down(const Device& device, const Buffer& buffer, std::size_t count) {
  std::vector<T> values(count);
  device.download(values.data(), buffer.as<>(), count * sizeof(T));
  return values;
}

// For what compute-sanitizer watches, which takes its time; nothing, with the reason, where kernels cannot run.
inline std::optional<Cuda> small_card() {
  if (const auto reason = why_not_cuda(0)) {
    MESSAGE("skipped: " << *reason);
    return {};
  }
  CudaOptions options{0, 0.1};
  options.patience = std::chrono::minutes(10);
  return Cuda(options);
}

}  // namespace wajah
