// CardMemory: parts of one allocation of a card, first fit. Buffers are few and long-lived (weights, maps of a
// session), so a list ordered by address is enough.
#pragma once

#include <wajah/buffer.hpp>
#include <wajah/cuda.hpp>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

namespace wajah {

class CardMemory : public std::enable_shared_from_this<CardMemory> {
 public:
  // Allocates `bytes` of the card in use. Throws Error (device, device_memory).
  CardMemory(const CudaDriver& driver, int card, std::size_t bytes);
  ~CardMemory();
  CardMemory(const CardMemory&) = delete;
  CardMemory& operator=(const CardMemory&) = delete;
  CardMemory(CardMemory&&) = delete;
  CardMemory& operator=(CardMemory&&) = delete;

  // The buffer keeps the whole allocation alive. Throws Error (device_memory) when nothing fits.
  [[nodiscard]] Buffer allocate(std::size_t bytes);
  [[nodiscard]] Cuda::MemoryUse use() const;

  // A card that was waited for in vain may still write here: the allocation then stays until the process ends.
  void abandon() { abandoned_ = true; }
  [[nodiscard]] bool abandoned() const { return abandoned_; }

 private:
  struct Part {
    std::size_t bytes = 0;
    bool used = false;
    std::size_t guard = 0;  // where its forbidden page begins
  };

  static void give_back(void* data);
  void release(std::size_t first);

  const CudaDriver& driver_;
  int card_;
  char* base_ = nullptr;
  std::atomic<bool> abandoned_{false};
  mutable std::mutex mutex_;
  std::map<std::size_t, Part> parts_;  // by first byte
  Cuda::MemoryUse use_;
};

}  // namespace wajah
