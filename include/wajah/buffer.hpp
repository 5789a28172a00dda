// Buffer: uninitialised, cache-line-aligned memory with one owner; where layers keep packed weights and sessions scratch.
#pragma once

#include <wajah/shape.hpp>

#include <cstddef>
#include <memory>
#include <new>

namespace wajah {

class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t bytes)
      : bytes_(align_up(bytes)),
        data_(static_cast<std::byte*>(::operator new(bytes_, std::align_val_t{alignment}))) {}

  [[nodiscard]] std::size_t size() const { return bytes_; }
  template <class T = std::byte>
  [[nodiscard]] T* as() const {
    return reinterpret_cast<T*>(data_.get());
  }
  [[nodiscard]] Arena arena() const { return {as<char>(), as<char>() + bytes_}; }

 private:
  struct Free {
    void operator()(std::byte* p) const { ::operator delete(p, std::align_val_t{alignment}); }
  };
  std::size_t bytes_ = 0;
  std::unique_ptr<std::byte, Free> data_;
};

}  // namespace wajah
