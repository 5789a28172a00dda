// CardMemory: parts of one allocation of a card, first fit. Buffers are few and long-lived (weights, maps of a
// session), so a list ordered by address is enough.
#pragma once

#include <wajah/buffer.hpp>
#include <wajah/cuda.hpp>

#include <map>
#include <memory>
#include <mutex>

namespace wajah {

class CardMemory : public std::enable_shared_from_this<CardMemory> {
 public:
  // Allocates `bytes` of the card in use. Throws Error (device).
  CardMemory(const CudaDriver& driver, int card, std::size_t bytes);
  ~CardMemory();
  CardMemory(const CardMemory&) = delete;
  CardMemory& operator=(const CardMemory&) = delete;
  CardMemory(CardMemory&&) = delete;
  CardMemory& operator=(CardMemory&&) = delete;

  // The buffer keeps the whole allocation alive. Throws Error (device) when nothing fits.
  [[nodiscard]] Buffer allocate(std::size_t bytes);
  [[nodiscard]] Cuda::MemoryUse use() const;

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
  mutable std::mutex mutex_;
  std::map<std::size_t, Part> parts_;  // by first byte
  Cuda::MemoryUse use_;
};

}  // namespace wajah
