#include "shared_memory.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wajah::shim {

void SharedMemory::clear(unsigned warps, std::size_t most) {
  if (bytes_.size() < most + 128) {
    bytes_.resize(most + 128);
    words_.resize(most / word);
    const auto address = reinterpret_cast<std::uintptr_t>(bytes_.data());
    base_ = bytes_.data() + (128 - address % 128) % 128;
  }
  std::fill_n(words_.begin(), (used_ + word - 1) / word, Word{});
  arrays_.clear();
  used_ = 0;
  most_ = most;
  block_round_ = 1;
  latest_neighbour_ = 0;
  warp_rounds_.assign(warps, 1);
  clocks_.assign(warps, {});
  for (unsigned w = 0; w < warps; ++w) clocks_[w].step(w);
  gathered_ = in_cluster_[0] = in_cluster_[1] = {};
  told_.assign(warps, 0);
  fences_.assign(std::size_t{warps} * 32, 0);
}

void SharedMemory::block_barrier() {
  ++block_round_;
  Clock all;
  for (const Clock& clock : clocks_) all.join(clock);
  for (Clock& clock : clocks_) clock = all;
  for (unsigned w = 0; w < clocks_.size(); ++w) clocks_[w].step(w);
}

SharedMemory::Extent SharedMemory::declare(std::size_t& top, std::size_t& count, const char* name, std::size_t bytes,
                                           std::string& error) {
  const std::size_t first = (top + 127) / 128 * 128;
  if (count == arrays_.size()) {
    if (first + bytes > most_) {
      error = fmt::format("shared array {} of {} bytes after {} others, expected at most {} in all", name, bytes, first,
                          most_);
      return {};
    }
    arrays_.push_back({name, first, bytes});
    used_ = first + bytes;
  } else if (arrays_[count].name != name || arrays_[count].bytes != bytes) {
    error = fmt::format("shared array {} of {} bytes where another thread has {} of {}: declare them alike", name,
                        bytes, arrays_[count].name, arrays_[count].bytes);
    return {};
  }
  ++count;
  top = first + bytes;
  return {base_ + first, base_ + first + bytes};
}

std::string SharedMemory::name_at(std::size_t offset) const {
  for (const Array& array : arrays_) {
    if (offset >= array.first && offset < array.first + array.bytes) {
      return fmt::format("byte {} of shared {}", offset - array.first, array.name);
    }
  }
  return fmt::format("byte {} of shared memory", offset);
}

std::string SharedMemory::explain(Fault fault, const char* pointer, std::size_t bytes, const Extent& in,
                                  const Visitor& visitor) {
  const auto offset_of = [&](const char* at) { return static_cast<std::size_t>(at - base_); };
  if (fault == Fault::outside) {
    return fmt::format("{} bytes at byte {} of a shared array of {} bytes ({})", bytes, pointer - in.first,
                       in.last - in.first, name_at(offset_of(in.first)));
  }
  // Visit again to find the word; a second visit of a good word changes nothing.
  std::size_t offset = offset_of(pointer) / word * word;
  for (; offset + word < offset_of(pointer) + bytes; offset += word) {
    const Word& w = words_[offset / word];
    if (fault == Fault::race_with_neighbour ? w.neighbour > visitor.waits
        : fault == Fault::neighbours_race
            ? w.state == State::full && !told_neighbours(w, visitor.waits)
            : w.state != State::full || !ordered(w.write, visitor) || !ordered(w.reading, visitor) ||
                  !heard(w, visitor.thread / 32) || (fault == Fault::unfenced && !fenced(w))) {
      break;
    }
  }
  const Word& w = words_[offset / word];
  const auto who = [](const Access& access) {
    if (access.thread == nobody) return std::string("the TMA");
    if (access.thread == several) return std::string("several threads");
    if (access.thread >= several_of_warp) return fmt::format("threads of warp {}", access.thread - several_of_warp);
    return fmt::format("thread {}", access.thread);
  };
  switch (fault) {
    case Fault::empty: return fmt::format("read of {}, which no thread has written", name_at(offset));
    case Fault::flying:
      if (w.write.thread == nobody) {
        return fmt::format("use of {}, where bytes that the TMA brings have not arrived: wait for their barrier",
                           name_at(offset));
      }
      return fmt::format("read of {}, where a copy_async of {} has not arrived: wait for it, then for the barrier",
                         name_at(offset), who(w.write));
    case Fault::unheard:
      return fmt::format("use of {}, which the TMA has brought, by a warp that has not waited for its barrier",
                         name_at(offset));
    case Fault::unfenced:
      return fmt::format("asynchronous use of {}, which {} wrote with no fence_async after it", name_at(offset),
                         who(w.write));
    case Fault::race_with_write:
      return fmt::format("{} was written by {} and no barrier came in between", name_at(offset), who(w.write));
    case Fault::neighbours_race:
      return fmt::format("read of {} of another block, where {} wrote and no barrier of the cluster came in between",
                         name_at(offset), who(w.write));
    case Fault::race_with_neighbour:
      return fmt::format("write to {}, which another block read with no barrier of the cluster in between",
                         name_at(offset));
    default:
      return fmt::format("write to {}, which {} read with no barrier in between", name_at(offset), who(w.reading));
  }
}

}  // namespace wajah::shim
