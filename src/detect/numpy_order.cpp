// What decides the order of equal values is which pairs the algorithm compares, so its steps are followed exactly, one
// value at a time: a quicksort that moves blocks of four vectors of eight to either end, and a bitonic network (Batcher
// 1968) once 256 are left. Source of the method: x86-simd-sort (Intel, 2022), which numpy uses.
#include "numpy_order.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <numeric>

namespace wajah {

namespace {

constexpr std::size_t lanes = 8, block = 4 * lanes, network_size = 256;

class Sorter {
 public:
  explicit Sorter(std::span<const float> values) : values_(values), order_(values.size()) {
    std::iota(order_.begin(), order_.end(), 0U);
    const int depth = static_cast<int>(std::bit_width(values.size())) - 1;
    sort(0, order_.size(), 2 * depth);
  }

  std::vector<std::uint32_t> order() && { return std::move(order_); }

 private:
  static constexpr std::uint32_t beyond = std::numeric_limits<std::uint32_t>::max();

  [[nodiscard]] float value(std::uint32_t index) const {
    return index == beyond ? std::numeric_limits<float>::infinity() : values_[index];
  }

  void sort(std::size_t begin, std::size_t end, int depth) {
    if (depth <= 0) {
      std::sort(at(begin), at(end), [this](std::uint32_t a, std::uint32_t b) { return value(a) < value(b); });
    } else if (end - begin <= network_size) {
      sort_by_network(begin, end);
    } else {
      const auto [least, greatest] =
          std::ranges::minmax(std::span(at(begin), at(end)), {}, [this](auto i) { return value(i); });
      const float smallest = value(least), biggest = value(greatest), pivot = pivot_of(begin, end);
      const std::size_t middle = partition(begin, end, pivot);
      if (pivot != smallest) sort(begin, middle, depth - 1);
      if (pivot != biggest) sort(middle, end, depth - 1);
    }
  }

  std::vector<std::uint32_t>::iterator at(std::size_t i) { return order_.begin() + static_cast<std::ptrdiff_t>(i); }

  // Every comparison puts the smaller value first and leaves equal ones alone.
  void sort_by_network(std::size_t begin, std::size_t end) {
    std::vector<std::uint32_t> net(std::bit_ceil(end - begin), beyond);
    std::copy(at(begin), at(end), net.begin());
    const auto compare = [&](std::size_t i, std::size_t j) {
      if (value(net[i]) > value(net[j])) std::swap(net[i], net[j]);
    };
    for (std::size_t size = 2; size <= net.size(); size *= 2) {
      for (std::size_t first = 0; first < net.size(); first += size) {
        for (std::size_t i = 0; i < size / 2; ++i) compare(first + i, first + size - 1 - i);
      }
      for (std::size_t step = size / 4; step > 0; step /= 2) {
        for (std::size_t i = 0; i < net.size(); ++i) {
          if ((i & step) == 0) compare(i, i + step);
        }
      }
    }
    std::copy_n(net.begin(), end - begin, at(begin));
  }

  // The fifth smallest of eight samples.
  [[nodiscard]] float pivot_of(std::size_t begin, std::size_t end) const {
    const std::size_t step = (end - 1 - begin) / lanes;
    std::array<float, lanes> samples;
    for (std::size_t i = 0; i < lanes; ++i) samples[i] = value(order_[begin + (i + 1) * step]);
    std::ranges::sort(samples);
    return samples[lanes / 2];
  }

  // Puts the indices of values below the pivot first; returns where the others begin.
  std::size_t partition(std::size_t begin, std::size_t end, float pivot) {
    for (std::size_t odd = (end - begin) % block; odd > 0; --odd) {
      if (value(order_[begin]) < pivot) {
        ++begin;
      } else {
        std::swap(order_[begin], order_[--end]);
      }
    }
    // The outermost blocks are held back, which makes room to write at both ends.
    std::size_t low = begin, high = end;
    const Block first = take(begin), last = take(end - block);
    begin += block;
    end -= block;
    while (begin != end) {
      const bool from_right = high - end < begin - low;
      if (from_right) end -= block;
      const Block next = take(from_right ? end : begin);
      if (!from_right) begin += block;
      distribute(next, pivot, low, high);
    }
    distribute(first, pivot, low, high);
    distribute(last, pivot, low, high);
    return low;
  }

  using Block = std::array<std::uint32_t, block>;

  Block take(std::size_t first) {
    Block taken;
    std::copy_n(at(first), block, taken.begin());
    return taken;
  }

  // Each eight keep their order among those that go the same way; the eights fill the right end from its outside in.
  void distribute(const Block& from, float pivot, std::size_t& low, std::size_t& high) {
    for (std::size_t vector = 0; vector < block; vector += lanes) {
      const auto below = [&](std::uint32_t index) { return value(index) < pivot; };
      const auto eight = std::span(from).subspan(vector, lanes);
      high -=
          static_cast<std::size_t>(std::ranges::count_if(eight, [&](std::uint32_t index) { return !below(index); }));
      std::size_t right = high;
      for (const std::uint32_t index : eight) order_[below(index) ? low++ : right++] = index;
    }
  }

  std::span<const float> values_;
  std::vector<std::uint32_t> order_;
};

}  // namespace

std::vector<std::uint32_t> numpy_order(std::span<const float> values) {
  if (values.empty()) return {};
  return Sorter(values).order();
}

}  // namespace wajah
