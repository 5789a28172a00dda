#include "card_memory.hpp"

#include <wajah/error.hpp>

#include <algorithm>
#include <cstring>

#include "check.hpp"

namespace wajah {
namespace {

constexpr std::size_t granularity = 256;  // what cudaMalloc aligns to
constexpr std::size_t page = 4096;

std::size_t round_to(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

// Whose part a buffer is: Buffer's free function knows only the address.
struct Owners {
  std::mutex mutex;
  std::map<const void*, std::pair<std::shared_ptr<CardMemory>, std::size_t>> by_data;
};
Owners& owners() {
  static Owners all;
  return all;
}

}  // namespace

CardMemory::CardMemory(const CudaDriver& driver, int card, std::size_t bytes) : driver_(driver), card_(card) {
  const std::size_t share = bytes / page * page;
  void* memory = nullptr;
  check_cuda(driver, driver.allocate(&memory, share), "cudaMalloc", card,
             fmt::format("{} MB asked; lower engine.gpu.memory_fraction, or see who else uses the card", share >> 20U));
  base_ = static_cast<char*>(memory);
  parts_[0] = {share, false, 0};
  use_.share = share;
}

CardMemory::~CardMemory() {
  if (abandoned_) return;
  if (driver_.forbid != nullptr) driver_.forbid(base_, use_.share, false);
  (void)driver_.use(card_);
  (void)driver_.release(base_);
}

Buffer CardMemory::allocate(std::size_t bytes) {
  const bool guarded = driver_.forbid != nullptr;
  const std::size_t inner = round_to(std::max<std::size_t>(bytes, 1), guarded ? page : granularity);
  const std::size_t whole = inner + (guarded ? page : 0);
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(parts_.begin(), parts_.end(),
                                  [&](const auto& part) { return !part.second.used && part.second.bytes >= whole; });
  if (found == parts_.end()) {
    fail(
        ErrorKind::device_memory,
        "card {}: no room for {} bytes; {} of the {} MB that engine.gpu.memory_fraction allows are in use; raise it or "
        "lower the batch",
        card_, bytes, use_.used >> 20U, use_.share >> 20U);
  }
  const std::size_t first = found->first;
  if (found->second.bytes > whole) parts_[first + whole] = {found->second.bytes - whole, false, 0};
  parts_[first] = {whole, true, first + inner};
  use_.used += whole;
  use_.peak = std::max(use_.peak, use_.used);
  char* data = base_ + first;
  if (guarded) {
    // Against the forbidden page, as far as alignment allows.
    data += inner - round_to(bytes, 16);
    driver_.forbid(base_ + first + inner, page, true);
    std::memset(data, 0xFF, bytes);  // read before it was written: not-a-number
  }
  {
    const std::lock_guard owners_lock(owners().mutex);
    owners().by_data[data] = {shared_from_this(), first};
  }
  return {data, bytes, &CardMemory::give_back};
}

void CardMemory::give_back(void* data) {
  std::pair<std::shared_ptr<CardMemory>, std::size_t> owner;
  {
    const std::lock_guard lock(owners().mutex);
    const auto found = owners().by_data.find(data);
    if (found == owners().by_data.end()) return;
    owner = std::move(found->second);
    owners().by_data.erase(found);
  }
  owner.first->release(owner.second);
}

void CardMemory::release(std::size_t first) {
  const std::lock_guard lock(mutex_);
  const auto part = parts_.find(first);
  if (driver_.forbid != nullptr) driver_.forbid(base_ + part->second.guard, page, false);
  part->second.used = false;
  use_.used -= part->second.bytes;
  if (const auto next = std::next(part); next != parts_.end() && !next->second.used) {
    part->second.bytes += next->second.bytes;
    parts_.erase(next);
  }
  if (part != parts_.begin()) {
    if (const auto before = std::prev(part); !before->second.used) {
      before->second.bytes += part->second.bytes;
      parts_.erase(part);
    }
  }
}

Cuda::MemoryUse CardMemory::use() const {
  const std::lock_guard lock(mutex_);
  return use_;
}

}  // namespace wajah
