#include "emulated_cuda.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>

#include "host_tensor_map.hpp"
#include "launcher.hpp"

namespace wajah {
namespace {

constexpr int wrong_use = 1, out_of_memory = 2;
constexpr std::size_t card_bytes = std::size_t{4} << 30U;

// Pages come into being when they are touched, so a card of 4 GB costs what is used of it.
class Mappings {
 public:
  int add(void** memory, std::size_t bytes) {
    *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (*memory == MAP_FAILED) return out_of_memory;
    const std::lock_guard lock(mutex_);
    bytes_[*memory] = bytes;
    return 0;
  }
  int remove(void* memory) {
    const std::lock_guard lock(mutex_);
    const auto found = bytes_.find(memory);
    if (found == bytes_.end()) return wrong_use;
    munmap(memory, found->second);
    bytes_.erase(found);
    return 0;
  }

 private:
  std::mutex mutex_;
  std::map<void*, std::size_t> bytes_;
};

Mappings& mappings() {
  static Mappings all;
  return all;
}

using Recording = std::vector<std::function<void()>>;

shim::Stream& stream_of(void* stream) { return *static_cast<shim::Stream*>(stream); }

int copy(void* to, const void* from, std::size_t bytes, CopyDirection, void* stream) {
  if (stream_of(stream).recording) return wrong_use;  // as a card: uploads wait, and a capture must not
  std::memcpy(to, from, bytes);
  return 0;
}

int query(void* stream, bool* done) { return *done = true, stream_of(stream).recording ? wrong_use : 0; }

int end_capture(void* stream, void** graph) {
  shim::Stream& recorded = stream_of(stream);
  recorded.recording = false;
  *graph = std::make_unique<Recording>(std::move(recorded.recorded)).release();
  recorded.recorded.clear();
  return 0;
}

int launch_graph(void* graph, void*) {
  for (const auto& kernel : *static_cast<Recording*>(graph)) kernel();
  return 0;
}

// Memory that is given out holds not-a-number, in floats and in halves.
void forbid(void* page, std::size_t bytes, bool forbidden) {
  mprotect(page, bytes, forbidden ? PROT_NONE : PROT_READ | PROT_WRITE);
}

}  // namespace

const CudaDriver& host_driver() {
  static const CudaDriver driver{
      .count = [](int* cards) { return *cards = 1, 0; },
      .describe = [](int, CudaFacts* facts) { return *facts = {"the host", 9, 0, 4, card_bytes, card_bytes}, 0; },
      .use = [](int) { return 0; },
      .allocate = [](void** memory, std::size_t bytes) { return mappings().add(memory, bytes); },
      .release = [](void* memory) { return mappings().remove(memory); },
      .allocate_pinned = [](void** memory, std::size_t bytes) { return mappings().add(memory, bytes); },
      .release_pinned = [](void* memory) { return mappings().remove(memory); },
      .make_stream = [](void** stream) { return *stream = std::make_unique<shim::Stream>().release(), 0; },
      .end_stream = [](void* stream) { return delete static_cast<shim::Stream*>(stream), 0; },
      .query = &query,
      .copy = &copy,
      .begin_capture = [](void* stream) { return stream_of(stream).recording = true, 0; },
      .end_capture = &end_capture,
      .launch_graph = &launch_graph,
      .end_graph = [](void* graph) { return delete static_cast<Recording*>(graph), 0; },
      .make_tensor_map = &shim::make_host_tensor_map,
      .explain = [](int error) -> std::string { return error == out_of_memory ? "out of memory" : "wrong use"; },
      .no_room = [](int error) { return error == out_of_memory; },
      .forbid = &forbid};
  return driver;
}

const Launch& launch_of(const EmulatedCuda& cuda) { return cuda.launch(); }

}  // namespace wajah
