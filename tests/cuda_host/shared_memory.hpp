// SharedMemory: the shared memory of one block, watched word by word: who wrote it, who read it, and since which
// barrier. Finds reads of what nobody wrote, accesses outside of an array, and pairs of accesses by different threads,
// one of them a write, that no barrier stands between: compute-sanitizer's memcheck, initcheck and racecheck, without a
// card. A word is four bytes: threads that write halves of one word between two barriers are told to write whole ones.
//
// Blocks of a cluster read one another's. What a thread does before its n-th arrival at the cluster's barrier is before
// what others do once they have waited n times; nothing else stands between two blocks, and between threads of one
// block this does as well as a barrier of theirs.
//
// Barriers in shared memory (AsyncProxy) order warps of one block as well, by way of the warps' clocks; what several
// warps have read, only the block's and the cluster's barriers release for writing.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "clocks.hpp"

namespace wajah::shim {

// Bytes that a block may have on every card that the kernels are built for: sm_86 and sm_89 give least. And on sm_90,
// where a launch asks for what only that has.
inline constexpr std::size_t most_shared = 99 * 1024, most_shared_of_sm_90 = 227 * 1024;

enum class Fault {
  none,
  outside,
  empty,
  flying,
  race_with_write,
  race_with_read,
  race_with_neighbour,
  neighbours_race,
  unheard,
  unfenced
};

// Who looks at shared memory: a thread of a block, and how often it has come to the cluster's barrier and left it.
struct Visitor {
  unsigned thread = 0;
  std::uint32_t arrivals = 0, waits = 0;
};

class SharedMemory {
 public:
  // Memory that one pointer may reach: the array it was made from.
  struct Extent {
    char* first = nullptr;
    char* last = nullptr;
  };

  // Forgets everything: a new block, of so many warps, that may have so many bytes.
  void clear(unsigned warps, std::size_t most);

  // An array as a thread declares it; all threads must declare the same ones in the same order. `top` and `count` are
  // the thread's own. Empty extent: `error` says why.
  Extent declare(std::size_t& top, std::size_t& count, const char* name, std::size_t bytes, std::string& error);

  void block_barrier();
  void warp_barrier(unsigned warp) { ++warp_rounds_[warp]; }

  // Each notes an access and says what is wrong with it.
  Fault read(const char* pointer, std::size_t bytes, const Extent& in, const Visitor& who) {
    return each(pointer, bytes, in, [&](Word& w) {
      if (w.state != State::full) return w.state == State::empty ? Fault::empty : Fault::flying;
      if (!heard(w, who.thread / 32)) return Fault::unheard;
      if (!ordered(w.write, who)) return Fault::race_with_write;
      note_read(w.reading, who);
      return Fault::none;
    });
  }
  Fault write(const char* pointer, std::size_t bytes, const Extent& in, const Visitor& who) {
    return store(pointer, bytes, in, who, State::full);
  }
  // An asynchronous copy to there has begun; write() follows when it has arrived.
  Fault in_flight(const char* pointer, std::size_t bytes, const Extent& in, const Visitor& who) {
    return store(pointer, bytes, in, who, State::flying);
  }
  // By a thread of another block of the cluster.
  Fault read_by_neighbour(const char* pointer, std::size_t bytes, const Extent& in, const Visitor& who) {
    latest_neighbour_ = std::max(latest_neighbour_, who.arrivals + 1);
    return each(pointer, bytes, in, [&](Word& w) {
      if (w.state != State::full) return w.state == State::empty ? Fault::empty : Fault::flying;
      if (!told_neighbours(w, who.waits)) return Fault::neighbours_race;
      w.neighbour = std::max(w.neighbour, who.arrivals + 1);
      return Fault::none;
    });
  }
  // Whether a neighbour may still be reading when a thread that has waited so often ends.
  [[nodiscard]] bool neighbours_read(std::uint32_t waits) const { return latest_neighbour_ > waits; }

  // What the asynchronous proxy does (wgmma, TMA). `warps` warps from first_warp on, whose threads have all waited so
  // often at the cluster's barrier, multiply by what lies there.
  Fault read_asynchronously(const char* pointer, std::size_t bytes, unsigned first_warp, unsigned warps,
                            std::uint32_t waits) {
    return each(pointer, bytes, whole(), [&](const Word& w) {
      if (w.state != State::full) return w.state == State::empty ? Fault::empty : Fault::flying;
      for (unsigned warp = first_warp; warp < first_warp + warps; ++warp) {
        if (!heard(w, warp)) return Fault::unheard;
        if (!ordered(w.write, {warp * 32, waits, waits})) return Fault::race_with_write;
      }
      return fenced(w) ? Fault::none : Fault::unfenced;
    });
  }
  // Bytes are on their way to there, and have arrived as the bytes of a barrier's phase.
  Fault begin_arrival(const char* pointer, std::size_t bytes, const Extent& in, const Visitor& who) {
    return each(pointer, bytes, in, [&](Word& w) {
      if (!heard(w, who.thread / 32)) return Fault::unheard;
      if (!ordered(w.write, who)) return Fault::race_with_write;
      if (!ordered(w.reading, who)) return Fault::race_with_read;
      if (w.neighbour > who.waits) return Fault::race_with_neighbour;
      if (!fenced(w)) return Fault::unfenced;
      w.write = w.reading = {};
      w.state = State::flying;
      return Fault::none;
    });
  }
  void arrive(const char* pointer, std::size_t bytes, unsigned barrier, std::uint32_t phase) {
    (void)each(pointer, bytes, whole(), [&](Word& w) {
      w.state = State::full;
      w.barrier = static_cast<std::uint8_t>(barrier);
      w.phase = phase;
      return Fault::none;
    });
  }
  // What the thread has written is from now on seen by the asynchronous proxy, too (fence.proxy.async).
  void fence(unsigned thread) { ++fences_[thread]; }

  [[nodiscard]] Clock& clock(unsigned warp) { return clocks_[warp]; }
  // The warp has waited for a barrier at which others had arrived, and perhaps lanes of its own.
  void hear(unsigned warp, const Clock& of_barrier) {
    told_[warp] = std::max(told_[warp], of_barrier.before[warp]);
    clocks_[warp].join(of_barrier);
  }

  // A thread of the warp comes to the cluster's barrier; all have come for the n-th time; it has waited n times.
  void arrive_in_cluster(unsigned warp) {
    gathered_.join(clocks_[warp]);
    clocks_[warp].step(warp);
  }
  void release_cluster(std::uint32_t n) { in_cluster_[n % 2] = gathered_; }
  void wait_in_cluster(unsigned warp, std::uint32_t n) { clocks_[warp].hear(in_cluster_[n % 2]); }

  // Where a pointer is in the window of shared memory, as instructions name places. It does not begin at a multiple of
  // 1024 bytes: kernels that need that must see to it.
  [[nodiscard]] unsigned address(const char* pointer) const {
    return window_begins + static_cast<unsigned>(pointer - base_);
  }
  [[nodiscard]] char* at(unsigned address) const { return base_ + (address - window_begins); }
  [[nodiscard]] Extent whole() const { return {base_, base_ + used_}; }

  // The same place in the memory of another block.
  [[nodiscard]] char* same_place(const char* pointer, const SharedMemory& in) const {
    return in.base_ + (pointer - base_);
  }

  [[nodiscard]] std::string explain(Fault fault, const char* pointer, std::size_t bytes, const Extent& in,
                                    const Visitor& who);

 private:
  static constexpr std::size_t word = 4;
  static constexpr unsigned window_begins = 1024 + 128;  // after what the system keeps for itself
  // Instead of a thread's number: nobody; several; several of one warp, whose number is added.
  static constexpr std::uint16_t nobody = 0xFFFF, several = 0xFFFE, several_of_warp = 0xFF00;
  static constexpr std::uint8_t no_barrier = 0xFF;
  enum class State : std::uint8_t { empty, flying, full };

  struct Access {
    std::uint16_t thread = nobody;
    std::uint16_t warp_round = 0;
    std::uint32_t block_round = 0;
    std::uint32_t arrivals = 0;  // of the thread, at the cluster's barrier: of several, the most
    std::uint32_t step = 0;      // of the warp's own clock
  };
  struct Word {
    Access write, reading;
    std::uint32_t neighbour = 0;  // arrivals of a block's thread that read it from outside, plus one
    std::uint32_t phase = 0;      // of the barrier that told of the bytes' arrival
    std::uint16_t fences = 0;     // the writer's, when it wrote
    std::uint8_t barrier = no_barrier;
    State state = State::empty;
  };
  struct Array {
    const char* name;
    std::size_t first, bytes;
  };

  [[nodiscard]] std::string name_at(std::size_t offset) const;

  static unsigned warp_of(std::uint16_t thread) {
    return thread >= several_of_warp ? thread - several_of_warp : thread / 32U;
  }
  [[nodiscard]] bool ordered(const Access& before, const Visitor& who) const {
    if (before.thread == who.thread || before.thread == nobody || before.block_round != block_round_) return true;
    if (before.arrivals < who.waits) return true;
    if (before.thread == several) return false;
    const unsigned warp = warp_of(before.thread);
    if (warp == who.thread / 32) return before.warp_round != warp_rounds_[warp] || told_[warp] >= before.step;
    return clocks_[who.thread / 32].before[warp] >= before.step;
  }
  [[nodiscard]] bool heard(const Word& w, unsigned warp) const {
    return w.barrier == no_barrier || clocks_[warp].heard[Clock::warps + w.barrier] >= w.phase;
  }
  // Whether a neighbour's thread that has waited so often at the cluster's barrier may know what is there.
  [[nodiscard]] bool told_neighbours(const Word& w, std::uint32_t waits) const {
    if (w.barrier == no_barrier) return w.write.arrivals < waits;
    return in_cluster_[waits % 2].heard[Clock::warps + w.barrier] >= w.phase;
  }
  [[nodiscard]] bool fenced(const Word& w) const {
    return w.write.thread == nobody || fences_[w.write.thread] != w.fences;
  }
  void note_read(Access& reading, const Visitor& by) const {
    const unsigned thread = by.thread;
    const std::uint16_t round = warp_rounds_[thread / 32];
    std::uint16_t who = static_cast<std::uint16_t>(thread);
    std::uint32_t arrivals = by.arrivals;
    if (reading.thread != nobody && reading.thread != thread && reading.block_round == block_round_) {
      arrivals = std::max(arrivals, reading.arrivals);
      if (reading.thread == several || warp_of(reading.thread) != thread / 32) {
        who = several;
      } else if (reading.warp_round == round) {
        who = static_cast<std::uint16_t>(several_of_warp + thread / 32);
      }
    }
    reading = {who, round, block_round_, arrivals, clocks_[thread / 32].heard[thread / 32]};
  }
  Fault store(const char* pointer, std::size_t bytes, const Extent& in, const Visitor& who, State state) {
    const unsigned warp = who.thread / 32;
    const Access mine{static_cast<std::uint16_t>(who.thread), warp_rounds_[warp], block_round_, who.arrivals,
                      clocks_[warp].heard[warp]};
    return each(pointer, bytes, in, [&](Word& w) {
      if (!heard(w, warp)) return Fault::unheard;
      if (!ordered(w.write, who)) return Fault::race_with_write;
      if (!ordered(w.reading, who)) return Fault::race_with_read;
      if (w.neighbour > who.waits) return Fault::race_with_neighbour;
      w.write = mine;
      w.reading = {};
      w.fences = fences_[who.thread];
      w.barrier = no_barrier;
      w.state = state;
      return Fault::none;
    });
  }
  Fault each(const char* pointer, std::size_t bytes, const Extent& in, auto&& visit) {
    if (pointer < in.first || pointer + bytes > in.last) return Fault::outside;
    const auto offset = static_cast<std::size_t>(pointer - base_);
    for (std::size_t i = offset / word; i <= (offset + bytes - 1) / word; ++i) {
      if (const Fault fault = visit(words_[i]); fault != Fault::none) return fault;
    }
    return Fault::none;
  }

  std::vector<char> bytes_;
  std::vector<Word> words_;
  std::vector<Array> arrays_;
  char* base_ = nullptr;
  std::size_t used_ = 0;
  std::size_t most_ = 0;
  std::uint32_t block_round_ = 1;
  std::uint32_t latest_neighbour_ = 0;  // as Word::neighbour
  std::vector<std::uint16_t> warp_rounds_;
  std::vector<Clock> clocks_;  // of warps
  // What all who came to the cluster's barrier had heard: so far, and when it was last released an even and an odd
  // number of times. No thread is more than one time behind.
  Clock gathered_, in_cluster_[2];
  std::vector<std::uint32_t> told_;    // to a warp's lanes, of their own warp's steps
  std::vector<std::uint16_t> fences_;  // of threads
};

}  // namespace wajah::shim
