// AsyncProxy: what a block of a Hopper card does beside its threads: barriers in shared memory (mbarrier), bytes that
// the TMA brings, and products of warpgroups (wgmma) that read shared memory after the instruction has been issued. All
// of it ends as late as the PTX ISA allows: bytes arrive when no thread can go on without them, the newest first,
// and a product has read its matrices when its warps have waited for it.
//
// Stops a block (Executor::stop) that uses a barrier nobody made, or that its maker has not fenced, lets too many
// arrive there, overwrites what unfinished products read or what others may still read, reads what has not arrived or
// what it has not waited for, or ends with anything on its way.
#pragma once

#include <wajah/tensor_map.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "shared_memory.hpp"

namespace wajah::shim {

// Where in a kernel's source a thread waits.
struct Site {
  const char* file = nullptr;
  unsigned line = 0;
  friend bool operator==(const Site&, const Site&) = default;
};

// How far a thread is with wgmma: groups are numbered from 1 as they are committed.
struct ProductsOfThread {
  unsigned fences = 0, committed = 0, finished = 0;
  bool open = false;  // products that are not committed

  [[nodiscard]] unsigned current() const { return committed + 1; }
};

class AsyncProxy {
 public:
  // Of the block with this shared memory.
  explicit AsyncProxy(SharedMemory& shared) : shared_(shared) {}

  void clear();  // a new block

  // mbarrier.init, fence.mbarrier_init, mbarrier.arrive[.expect_tx], mbarrier.try_wait.parity until it is true. `at`
  // points to the barrier's eight bytes.
  void make_barrier(char* at, const SharedMemory::Extent& in, unsigned arrivals);
  void fence_barriers();
  void arrive(const char* at, unsigned bytes);
  void wait(Site site, const char* at, unsigned parity);

  // cp.async.bulk.tensor.
  void fetch(const TensorMap& map, char* to, const SharedMemory::Extent& in, const char* barrier,
             std::span<const int> place, std::span<const int> tap);

  // No thread can go on: lets what was last fetched arrive, and all that goes to the same barrier. False if nothing is
  // on its way.
  bool deliver();

  // A product of the four warps of a group, about to read these bytes.
  void read(unsigned first_warp, const char* from, std::size_t bytes, unsigned group);
  // This thread, all of whose warp do the same, has waited for the products of that group and all before.
  void finish(unsigned group);
  // A thread's own store to there.
  void check_store(const char* to, std::size_t bytes);

  void thread_returns();
  // What is on its way when all threads have returned; empty if nothing.
  [[nodiscard]] std::string left_behind() const;
  [[nodiscard]] std::string describe(const void* barrier) const;

 private:
  struct Barrier {
    const char* at;
    unsigned arrivals, missing;  // a phase's, and how many of the current one's have not come
    std::int64_t bytes = 0;      // that are expected and have not arrived
    std::uint32_t phase = 0;     // that are complete
    unsigned maker, maker_step;  // warp, and when
    bool fenced = false;
    Clock gathered, complete;  // of the current phase, and of the last complete one
  };
  struct Arrival {
    TensorMap map;
    char* to;
    Barrier* barrier;
    std::vector<int> place, tap;
  };
  struct Read {
    const char *first, *last;
    unsigned first_warp, group;
  };

  Barrier& barrier_at(const char* at);
  unsigned index_of(const Barrier& barrier) const { return static_cast<unsigned>(&barrier - barriers_.data()); }
  void end_phase_if_complete(Barrier& barrier);
  void require_read(const char* to, std::size_t bytes, const char* what);

  SharedMemory& shared_;
  std::vector<Barrier> barriers_;
  std::vector<Arrival> arrivals_;
  std::vector<Read> reads_;
  std::vector<std::vector<std::uint32_t>> finished_;  // of each warp: its step when it had waited for a group
};

}  // namespace wajah::shim
