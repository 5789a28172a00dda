// SharedMemory: the shared memory of one block, watched word by word: who wrote it, who read it, and since which
// barrier. Finds reads of what nobody wrote, accesses outside of an array, and pairs of accesses by different threads,
// one of them a write, that no barrier stands between: compute-sanitizer's memcheck, initcheck and racecheck, without a
// card. A word is four bytes: threads that write halves of one word between two barriers are told to write whole ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace wajah::shim {

// Bytes that a block may have on every card that the kernels are built for: sm_86 and sm_89 give least, sm_90 227 KB.
inline constexpr std::size_t most_shared = 99 * 1024;

enum class Fault { none, outside, empty, flying, race_with_write, race_with_read };

class SharedMemory {
 public:
  // Memory that one pointer may reach: the array it was made from.
  struct Extent {
    char* first = nullptr;
    char* last = nullptr;
  };

  SharedMemory() : bytes_(most_shared + 128), words_(most_shared / word) {}

  // Forgets everything: a new block.
  void clear(unsigned warps);

  // An array as a thread declares it; all threads must declare the same ones in the same order. `top` and `count` are
  // the thread's own. Empty extent: `error` says why.
  Extent declare(std::size_t& top, std::size_t& count, const char* name, std::size_t bytes, std::string& error);

  void block_barrier() { ++block_round_; }
  void warp_barrier(unsigned warp) { ++warp_rounds_[warp]; }

  // Each notes an access and says what is wrong with it.
  Fault read(const char* pointer, std::size_t bytes, const Extent& in, unsigned thread) {
    return each(pointer, bytes, in, [&](Word& w) {
      if (w.state != State::full) return w.state == State::empty ? Fault::empty : Fault::flying;
      if (!ordered(w.write, thread)) return Fault::race_with_write;
      note_read(w.reading, thread);
      return Fault::none;
    });
  }
  Fault write(const char* pointer, std::size_t bytes, const Extent& in, unsigned thread) {
    return store(pointer, bytes, in, thread, State::full);
  }
  // An asynchronous copy to there has begun; write() follows when it has arrived.
  Fault in_flight(const char* pointer, std::size_t bytes, const Extent& in, unsigned thread) {
    return store(pointer, bytes, in, thread, State::flying);
  }

  [[nodiscard]] std::string explain(Fault fault, const char* pointer, std::size_t bytes, const Extent& in,
                                    unsigned thread);

 private:
  static constexpr std::size_t word = 4;
  // Instead of a thread's number: nobody; several; several of one warp, whose number is added.
  static constexpr std::uint16_t nobody = 0xFFFF, several = 0xFFFE, several_of_warp = 0xFF00;
  enum class State : std::uint8_t { empty, flying, full };

  struct Access {
    std::uint16_t thread = nobody;
    std::uint16_t warp_round = 0;
    std::uint32_t block_round = 0;
  };
  struct Word {
    Access write, reading;
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
  [[nodiscard]] bool ordered(const Access& before, unsigned thread) const {
    if (before.thread == thread || before.thread == nobody || before.block_round != block_round_) return true;
    return before.thread != several && warp_of(before.thread) == thread / 32 &&
           before.warp_round != warp_rounds_[thread / 32];
  }
  void note_read(Access& reading, unsigned thread) const {
    const std::uint16_t round = warp_rounds_[thread / 32];
    std::uint16_t who = static_cast<std::uint16_t>(thread);
    if (reading.thread != nobody && reading.thread != thread && reading.block_round == block_round_) {
      if (reading.thread == several || warp_of(reading.thread) != thread / 32) {
        who = several;
      } else if (reading.warp_round == round) {
        who = static_cast<std::uint16_t>(several_of_warp + thread / 32);
      }
    }
    reading = {who, round, block_round_};
  }
  Fault store(const char* pointer, std::size_t bytes, const Extent& in, unsigned thread, State state) {
    return each(pointer, bytes, in, [&](Word& w) {
      if (!ordered(w.write, thread)) return Fault::race_with_write;
      if (!ordered(w.reading, thread)) return Fault::race_with_read;
      w.write = {static_cast<std::uint16_t>(thread), warp_rounds_[thread / 32], block_round_};
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
  std::uint32_t block_round_ = 1;
  std::vector<std::uint16_t> warp_rounds_;
};

}  // namespace wajah::shim
