// SharedMemory: the shared memory of one block, watched word by word: who wrote it, who read it, and since which
// barrier. Finds reads of what nobody wrote, accesses outside of an array, and pairs of accesses by different threads,
// one of them a write, that no barrier stands between: compute-sanitizer's memcheck, initcheck and racecheck, without a
// card. A word is four bytes: threads that write halves of one word between two barriers are told to write whole ones.
//
// Blocks of a cluster read one another's. What a thread does before its n-th arrival at the cluster's barrier is before
// what others do once they have waited n times; nothing else stands between two blocks, and between threads of one
// block this does as well as a barrier of theirs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace wajah::shim {

// Bytes that a block may have on every card that the kernels are built for: sm_86 and sm_89 give least, sm_90 227 KB.
inline constexpr std::size_t most_shared = 99 * 1024;
// The same where a launch asks for clusters, which only sm_90 has.
inline constexpr std::size_t most_shared_in_cluster = 227 * 1024;

enum class Fault {
  none,
  outside,
  empty,
  flying,
  race_with_write,
  race_with_read,
  race_with_neighbour,
  neighbours_race
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

  void block_barrier() { ++block_round_; }
  void warp_barrier(unsigned warp) { ++warp_rounds_[warp]; }

  // Each notes an access and says what is wrong with it.
  Fault read(const char* pointer, std::size_t bytes, const Extent& in, const Visitor& who) {
    return each(pointer, bytes, in, [&](Word& w) {
      if (w.state != State::full) return w.state == State::empty ? Fault::empty : Fault::flying;
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
      if (w.write.arrivals >= who.waits) return Fault::neighbours_race;
      w.neighbour = std::max(w.neighbour, who.arrivals + 1);
      return Fault::none;
    });
  }
  // Whether a neighbour may still be reading when a thread that has waited so often ends.
  [[nodiscard]] bool neighbours_read(std::uint32_t waits) const { return latest_neighbour_ > waits; }

  // The same place in the memory of another block.
  [[nodiscard]] char* same_place(const char* pointer, const SharedMemory& in) const {
    return in.base_ + (pointer - base_);
  }

  [[nodiscard]] std::string explain(Fault fault, const char* pointer, std::size_t bytes, const Extent& in,
                                    const Visitor& who);

 private:
  static constexpr std::size_t word = 4;
  // Instead of a thread's number: nobody; several; several of one warp, whose number is added.
  static constexpr std::uint16_t nobody = 0xFFFF, several = 0xFFFE, several_of_warp = 0xFF00;
  enum class State : std::uint8_t { empty, flying, full };

  struct Access {
    std::uint16_t thread = nobody;
    std::uint16_t warp_round = 0;
    std::uint32_t block_round = 0;
    std::uint32_t arrivals = 0;  // of the thread, at the cluster's barrier: of several, the most
  };
  struct Word {
    Access write, reading;
    std::uint32_t neighbour = 0;  // arrivals of a block's thread that read it from outside, plus one
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
    return before.thread != several && warp_of(before.thread) == who.thread / 32 &&
           before.warp_round != warp_rounds_[who.thread / 32];
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
    reading = {who, round, block_round_, arrivals};
  }
  Fault store(const char* pointer, std::size_t bytes, const Extent& in, const Visitor& who, State state) {
    return each(pointer, bytes, in, [&](Word& w) {
      if (!ordered(w.write, who)) return Fault::race_with_write;
      if (!ordered(w.reading, who)) return Fault::race_with_read;
      if (w.neighbour > who.waits) return Fault::race_with_neighbour;
      w.write = {static_cast<std::uint16_t>(who.thread), warp_rounds_[who.thread / 32], block_round_, who.arrivals};
      w.reading = {};
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
};

}  // namespace wajah::shim
