// CudnnDescriptor: one descriptor of cuDNN's graph interface, and who gives it back.
#pragma once

#include <wajah/cudnn_driver.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "cudnn_numbers.hpp"

namespace wajah {

// What cuDNN answered where it would not do as asked. Never leaves src/cuda.
struct CudnnRefusal {
  int status;
};

class CudnnDescriptor {
 public:
  // All of these throw CudnnRefusal.
  CudnnDescriptor(const CudnnDriver& driver, cudnn::Kind kind) : driver_(&driver) {
    check(driver.make(kind, &descriptor_));
  }
  ~CudnnDescriptor() {
    if (descriptor_ != nullptr) (void)driver_->end(descriptor_);
  }
  CudnnDescriptor(CudnnDescriptor&& other) noexcept
      : driver_(other.driver_), descriptor_(std::exchange(other.descriptor_, nullptr)) {}
  CudnnDescriptor(const CudnnDescriptor&) = delete;
  CudnnDescriptor& operator=(const CudnnDescriptor&) = delete;
  CudnnDescriptor& operator=(CudnnDescriptor&& other) noexcept {
    std::swap(driver_, other.driver_);
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }

  template <class T>
  CudnnDescriptor& set(cudnn::Name name, cudnn::Type type, const T& value) {
    return set_all(name, type, std::span(&value, 1));
  }
  CudnnDescriptor& set(cudnn::Name name, const CudnnDescriptor& other) {
    return set(name, cudnn::descriptor_type, other.descriptor_);
  }
  template <class T>
  CudnnDescriptor& set_all(cudnn::Name name, cudnn::Type type, std::span<const T> values) {
    check(driver_->set(descriptor_, name, type, static_cast<std::int64_t>(values.size()), values.data()));
    return *this;
  }
  CudnnDescriptor& finish() {
    check(driver_->finish(descriptor_));
    return *this;
  }

  [[nodiscard]] std::int64_t get(cudnn::Name name) const {
    std::int64_t value = 0, count = 0;
    check(driver_->get(descriptor_, name, cudnn::int64_type, 1, &count, &value));
    return value;
  }
  // Fills descriptors that were made to be filled; gives how many are.
  std::int64_t get(cudnn::Name name, std::span<void*> descriptors) const {
    std::int64_t count = 0;
    check(driver_->get(descriptor_, name, cudnn::descriptor_type, static_cast<std::int64_t>(descriptors.size()), &count,
                       descriptors.empty() ? nullptr : descriptors.data()));
    return count;
  }
  [[nodiscard]] std::vector<int> notes() const {
    std::array<int, cudnn::note_count> notes{};
    std::int64_t count = 0;
    check(driver_->get(descriptor_, cudnn::engine_notes, cudnn::note_type, cudnn::note_count, &count, notes.data()));
    return {notes.begin(), notes.begin() + count};
  }

  [[nodiscard]] void* raw() const { return descriptor_; }

 private:
  static void check(int status) {
    if (status != cudnn::success) throw CudnnRefusal{status};
  }

  const CudnnDriver* driver_;
  void* descriptor_ = nullptr;
};

}  // namespace wajah
