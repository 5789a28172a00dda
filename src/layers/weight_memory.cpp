#include <wajah/layers/pack.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <new>

#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
#include <sys/mman.h>
#define WAJAH_LARGE_PAGES 1
#endif

namespace wajah {

#ifdef WAJAH_LARGE_PAGES

namespace {

// Memory is mapped a slab at a time, aligned to its own size, so that any address within finds the slab's header.
constexpr std::size_t slab_bytes = std::size_t{32} << 20U;

struct Slab {
  std::atomic<std::size_t> users{1};  // buffers, and current_slab
  std::size_t size = slab_bytes, used = align_up(sizeof(Slab));
};

std::mutex mutex;
Slab* current_slab = nullptr;

void release(Slab* slab) {
  if (slab->users.fetch_sub(1, std::memory_order_acq_rel) == 1) munmap(slab, slab->size);
}

void give_back(void* p) {
  auto* const bytes = static_cast<char*>(p);
  release(reinterpret_cast<Slab*>(bytes - (reinterpret_cast<std::uintptr_t>(p) & (slab_bytes - 1))));
}

// Null where the system gives no more.
Slab* map_slab(std::size_t size) {
  void* const mapped = mmap(nullptr, size + slab_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  char* const first = static_cast<char*>(mapped);
  const std::size_t before =
      (slab_bytes - (reinterpret_cast<std::uintptr_t>(first) & (slab_bytes - 1))) & (slab_bytes - 1);
  if (before != 0) munmap(first, before);
  if (before != slab_bytes) munmap(first + before + size, slab_bytes - before);
  (void)madvise(first + before, size, MADV_HUGEPAGE);  // a wish: without large pages it is only slower
  return new (first + before) Slab{.size = size};
}

}  // namespace

Buffer allocate_weights(const Cpu&, std::size_t bytes) {
  const std::size_t size = align_up(bytes);
  const std::lock_guard lock(mutex);
  // Buffers begin within the first slab_bytes of a larger slab, or its header would not be found.
  if (current_slab == nullptr || current_slab->used + size > current_slab->size || current_slab->used >= slab_bytes) {
    const std::size_t pages = std::size_t{2} << 20U;
    const std::size_t wanted = (align_up(sizeof(Slab)) + size + pages - 1) / pages * pages;
    Slab* const slab = map_slab(wanted > slab_bytes ? wanted : slab_bytes);
    if (slab == nullptr) throw std::bad_alloc();
    if (current_slab != nullptr) release(current_slab);
    current_slab = slab;
  }
  void* const data = reinterpret_cast<char*>(current_slab) + current_slab->used;
  current_slab->used += size;
  current_slab->users.fetch_add(1, std::memory_order_relaxed);
  return {data, size, give_back};
}

#else

// Where every buffer has its own memory, sanitizers see what is read beyond its end.
Buffer allocate_weights(const Cpu& device, std::size_t bytes) { return device.allocate(bytes); }

#endif

}  // namespace wajah
