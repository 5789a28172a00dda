// Buffer: uninitialised, cache-line-aligned memory with one owner; where layers keep packed weights and sessions
// scratch. It remembers how it is given back, so layers can hold memory of any device without knowing which.
#pragma once

#include <wajah/shape.hpp>

#include <cstddef>
#include <memory>
#include <new>

namespace wajah {

class Buffer {
 public:
  using Free = void (*)(void*);

  Buffer() = default;
  explicit Buffer(std::size_t bytes)
      : Buffer(::operator new (align_up(bytes), std::align_val_t{alignment}), align_up(bytes),
               [](void* p) { ::operator delete (p, std::align_val_t{alignment}); }) {}
  // Takes over `bytes` of a device's memory that `free` gives back.
  Buffer(void* data, std::size_t bytes, Free free) : bytes_(bytes), data_(data, free) {}

  [[nodiscard]] std::size_t size() const { return bytes_; }
  template <class T = std::byte>
  [[nodiscard]] T* as() const {
    return static_cast<T*>(data_.get());
  }
  [[nodiscard]] Arena arena() const { return {as<char>(), as<char>() + bytes_}; }

 private:
  std::size_t bytes_ = 0;
  std::unique_ptr<void, Free> data_{nullptr, [](void*) {}};
};

}  // namespace wajah
