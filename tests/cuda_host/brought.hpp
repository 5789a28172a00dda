// Values brought to a device, and back, by its own copies: what tests share that run on the host build and on a card.
#pragma once

#include <wajah/buffer.hpp>

#include <cstddef>
#include <vector>

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

}  // namespace wajah
