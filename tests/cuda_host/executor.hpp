// Executor: runs the threads of CUDA blocks on the host, one after another, switching only where one has to wait.
//
// A thread begins as a plain call on a fiber. If it returns without having waited, the same fiber calls the next
// thread, so a kernel without barriers costs no switch at all; where it waits (a barrier, a warp's collective) another
// fiber goes on. One Executor belongs to one host thread; blocks of a launch are spread over several, the blocks of a
// cluster run together on one.
#pragma once

#include <boost/context/detail/fcontext.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "async_proxy.hpp"
#include "shared_memory.hpp"

namespace wajah::shim {

struct Dim {
  unsigned x = 1, y = 1, z = 1;
  [[nodiscard]] std::size_t count() const { return std::size_t{x} * y * z; }
};

// Bytes on their way into shared memory (cp.async): they arrive when the thread waits for their group.
struct Copy {
  char* to = nullptr;
  const char* from = nullptr;
  unsigned bytes = 0;   // of the destination
  unsigned source = 0;  // read from the source, the rest is zeros
};

struct Block;

struct Thread {
  Dim index{0, 0, 0};
  Dim block{0, 0, 0};
  Block* home = nullptr;
  unsigned number = 0;                    // within the block
  std::uint32_t arrivals = 0, waits = 0;  // at the cluster's barrier
  bool waited = true;                     // for the kernel before
  std::size_t shared_top = 0, shared_array = 0;
  std::vector<std::vector<Copy>> groups;  // committed, oldest first
  std::vector<Copy> open;                 // not committed
  ProductsOfThread products;              // wgmma

  [[nodiscard]] unsigned lane() const { return number % 32; }
  [[nodiscard]] unsigned warp() const { return number / 32; }
  [[nodiscard]] Visitor visitor() const { return {number, arrivals, waits}; }
};

// What a warp does together: every lane named by the mask brings a payload, the last to come computes for all.
using Collective = void (*)(void* const* payloads, std::uint32_t mask);
// The same of a warpgroup, which is four warps: all 128 bring one.
using GroupCollective = void (*)(void* const* payloads);
inline constexpr unsigned warps_of_group = 4, threads_of_group = 128;

struct LaunchShape {
  const char* kernel = "";
  Dim grid, block;
  std::size_t dynamic_shared = 0;
  bool dependent = false;  // every thread must wait for the kernel before, first of all
  unsigned cluster = 1;    // blocks, one after another in x
  bool on_sm_90 = false;   // and nowhere else
  [[nodiscard]] std::size_t most_shared() const {
    return cluster > 1 || on_sm_90 ? most_shared_of_sm_90 : shim::most_shared;
  }
};

struct Fiber {
  boost::context::detail::fcontext_t context = nullptr;
  void* stack = nullptr;
  Thread thread;
};

// A block that runs: how far its threads are, and where they wait for one another.
struct Block {
  struct Gathering {  // of one warp
    Site site;
    std::uint32_t mask = 0, arrived = 0;
    void* payloads[32] = {};
    std::vector<Fiber*> waiting;
  };
  struct GroupGathering {
    Site site;
    unsigned arrived = 0;
    std::uint32_t waits = 0;  // at the cluster's barrier, of the thread that waited least
    void* payloads[threads_of_group] = {};
    std::vector<Fiber*> waiting;
  };

  void begin(const LaunchShape& shape, Dim at, unsigned number);

  Dim index{0, 0, 0};
  unsigned rank = 0;  // within the cluster
  unsigned begun = 0, ended = 0;
  std::uint32_t waits = 0;  // at the cluster's barrier, of the thread that waited most and has returned
  Site barrier_site;
  unsigned arrived = 0;
  int votes = 0, last_votes = 0;
  std::vector<Fiber*> at_barrier;
  std::vector<Gathering> warps;
  std::vector<GroupGathering> groups;  // of four warps
  SharedMemory shared;
  AsyncProxy async{shared};
};

class Executor {
 public:
  Executor() = default;
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  Executor(Executor&&) = delete;
  Executor& operator=(Executor&&) = delete;

  // Runs one block, or the cluster that begins with it. Throws Error (device) naming kernel, block, thread and what
  // went wrong.
  void run(const LaunchShape& shape, Dim block, const std::function<void()>& body);

  // For the code of a kernel, on its fiber:
  // The executor and the thread that run on this host thread.
  [[nodiscard]] static Executor& current();
  [[nodiscard]] static bool running();
  [[nodiscard]] Thread& thread() { return *thread_; }
  // The same, once it may look at where it is.
  [[nodiscard]] const Thread& placed() {
    require_waited("looks at its index");
    return *thread_;
  }
  [[nodiscard]] const LaunchShape& shape() const { return *shape_; }
  [[nodiscard]] SharedMemory& shared() { return thread_->home->shared; }
  [[nodiscard]] AsyncProxy& async() { return thread_->home->async; }
  // Of the block's cluster. Stops the thread if there is none of that rank.
  [[nodiscard]] Block& neighbour(unsigned rank);

  // Stops a thread of a dependent launch that has not waited for the kernel before.
  void require_waited(const char* does) {
    if (!thread_->waited) stop(std::string(does) + " before it has waited for the kernel before (wait_for_earlier)");
  }

  // All threads of the block; gives how many brought a true `vote`.
  int barrier(Site site, bool vote);
  void collective(Site site, std::uint32_t mask, void* payload, Collective compute);
  void group_collective(Site site, void* payload, GroupCollective compute);
  // Until somebody wakes those who wait for `what`.
  void park(Site site, const void* what);
  void wake(const void* what);
  // All threads of the cluster that have not returned: each says that it has come, and later waits for the others.
  void arrive_in_cluster(Site site);
  void wait_in_cluster(Site site);
  // Stops the whole block with this message. Never returns.
  [[noreturn]] void stop(const std::string& message);

 private:
  struct Parked {
    Site site;
    const void* what;
    Fiber* fiber;
  };

  static void enter(boost::context::detail::transfer_t from);
  void work();
  Block* next_block();
  void begin_thread(Block& block);
  void end_thread();
  void release_cluster();
  bool deliver();
  void hop(Fiber& to);
  void leave();
  Fiber& idle_fiber();
  void discard_fibers();
  [[nodiscard]] std::string where_all_wait() const;
  [[nodiscard]] std::string who_is_parked() const;

  std::deque<Fiber> fibers_;
  std::vector<Fiber*> idle_, ready_;
  std::size_t next_ready_ = 0;
  Fiber main_;
  Fiber* running_ = nullptr;
  Fiber* came_from_ = nullptr;
  Thread* thread_ = nullptr;

  const LaunchShape* shape_ = nullptr;
  const std::function<void()>* body_ = nullptr;
  std::deque<Block> blocks_;  // the first `count_` are in use
  unsigned count_ = 0, threads_ = 0;
  std::string error_;

  Site cluster_site_;
  unsigned cluster_arrived_ = 0, cluster_ended_ = 0;
  std::uint32_t cluster_rounds_ = 0;
  std::vector<Fiber*> at_cluster_;
  std::vector<Parked> parked_;
};

}  // namespace wajah::shim
