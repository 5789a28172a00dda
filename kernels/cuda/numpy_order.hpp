// numpy_order: the order of src/detect/numpy_order.cpp, made by the threads of one block. What decides where equal
// values stand is which pairs are compared, so the method is the same step by step, but side by side: a warp takes a
// part, its lanes the 32 values that numpy moves at once (four vectors of eight; where each goes is counted from one
// vote), and the 128 pairs of the network that ends it.
#pragma once

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

struct OrderPart {
  int begin, end, depth;
};

template <int Threads>
class NumpyOrder {
 public:
  static constexpr int warps = Threads / 32, network = 256, block = 32, lanes = 8;
  static constexpr int most = 8192, most_parts = 2 * (most / network);  // of more than `network` values, and halves

  // In shared memory: `count` values, room for their order, networks of `warps` x 256, and two lists of parts.
  __device__ NumpyOrder(Shared<float> values, Shared<int> order, Shared<int> nets, Shared<OrderPart> parts,
                        Shared<OrderPart> halves)
      : values_(values),
        order_(order),
        net_(nets + static_cast<int>(threadIdx.x) / 32 * network),
        parts_(parts),
        halves_(halves),
        lane_(static_cast<int>(threadIdx.x) % 32),
        warp_(static_cast<int>(threadIdx.x) / 32) {}

  // Called by all threads when the values are there. order[i] is then the index of the i-th smallest; false if numpy
  // would have changed its method.
  __device__ bool sort(int count) {
    for (int i = static_cast<int>(threadIdx.x); i < count; i += Threads) order_[i] = i;
    if (threadIdx.x == 0) {
      parts_[0] = OrderPart{0, count, count > 0 ? 2 * (31 - __clz(count)) : 0};
    }
    __syncthreads();
    bool failed = false;
    for (int parts = 1; parts > 0;) {
      for (int p = warp_; p < parts; p += warps) failed = !divide(parts_[p], 2 * p) || failed;
      __syncthreads();
      parts = compact(2 * parts);
    }
    return __syncthreads_or(failed ? 1 : 0) == 0;
  }

 private:
  static constexpr int beyond = -1;

  [[nodiscard]] __device__ float value(int index) const {
    return index == beyond ? __uint_as_float(0x7F80'0000U) : static_cast<float>(values_[index]);
  }

  // A warp: sorts a part, or leaves both sides of its pivot in two places of `halves`.
  __device__ bool divide(const OrderPart part, int slot) {
    int sides[3] = {part.begin, part.begin, part.begin};  // nothing
    bool told = small(part.begin, part.end, part.depth);
    if (part.end - part.begin > network && part.depth > 0) {
      float smallest, biggest;
      ends_of(part.begin, part.end, smallest, biggest);
      const float pivot = pivot_of(part.begin, part.end);
      const int middle = partition(part.begin, part.end, pivot);
      sides[0] = pivot != smallest ? part.begin : middle;
      sides[1] = middle;
      sides[2] = pivot != biggest ? part.end : middle;
      told = small(sides[0], sides[1], part.depth - 1) && small(sides[1], sides[2], part.depth - 1);
    }
    if (lane_ < 2) {
      const int begin = lane_ == 0 ? sides[0] : sides[1], end = lane_ == 0 ? sides[1] : sides[2];
      const int size = end - begin > network ? end - begin : 0;
      halves_[slot + lane_] = OrderPart{begin, begin + size, part.depth - 1};
    }
    return told;
  }

  // A warp sorts what a network can; false where there are no steps left.
  __device__ bool small(int begin, int end, int depth) {
    if (end - begin <= 1) return true;
    if (depth <= 0) return false;
    if (end - begin <= network) sort_by_network(begin, end);
    return true;
  }

  // The first warp makes the halves that are left the next parts.
  __device__ int compact(int count) {
    int length = 0;
    for (int first = 0; first < count; first += 32) {
      OrderPart part{0, 0, 0};
      if (warp_ == 0 && first + lane_ < count) part = halves_[first + lane_];
      const unsigned votes = __ballot_sync(whole_warp, part.end > part.begin);
      if (part.end > part.begin) parts_[length + __popc(votes & ((1U << lane_) - 1))] = part;
      length += __popc(votes);
    }
    if (threadIdx.x == 0) halves_[0] = OrderPart{0, 0, length};
    __syncthreads();
    length = static_cast<OrderPart>(halves_[0]).depth;
    __syncthreads();
    return length;
  }

  __device__ void ends_of(int begin, int end, float& smallest, float& biggest) const {
    smallest = biggest = value(order_[begin]);
    for (int i = begin + lane_; i < end; i += 32) {
      const float mine = value(order_[i]);
      smallest = fminf(smallest, mine);
      biggest = fmaxf(biggest, mine);
    }
    for (int bit = 16; bit > 0; bit /= 2) {
      smallest = fminf(smallest, __shfl_xor_sync(whole_warp, smallest, bit));
      biggest = fmaxf(biggest, __shfl_xor_sync(whole_warp, biggest, bit));
    }
  }

  // The fifth smallest of eight samples.
  [[nodiscard]] __device__ float pivot_of(int begin, int end) const {
    const int step = (end - 1 - begin) / lanes;
    const float sample = value(order_[begin + (lane_ % lanes + 1) * step]);
    int smaller = 0;
    for (int i = 0; i < lanes; ++i) {
      const float other = __shfl_sync(whole_warp, sample, i);
      if (other < sample || (other == sample && i < lane_ % lanes)) ++smaller;
    }
    const unsigned fifth = __ballot_sync(whole_warp, smaller == lanes / 2);
    return __shfl_sync(whole_warp, sample, __ffs(static_cast<int>(fifth)) - 1);
  }

  // Puts the indices of values below the pivot first; returns where the others begin.
  __device__ int partition(int begin, int end, float pivot) {
    if (lane_ == 0) {
      for (int odd = (end - begin) % block; odd > 0; --odd) {
        const int index = order_[begin];
        if (value(index) < pivot) {
          ++begin;
        } else {
          --end;
          order_[begin] = static_cast<int>(order_[end]);
          order_[end] = index;
        }
      }
    }
    __syncwarp();
    begin = __shfl_sync(whole_warp, begin, 0);
    end = __shfl_sync(whole_warp, end, 0);
    // The outermost blocks are held back, which makes room to write at both ends.
    int low = begin, high = end;
    const int first = order_[begin + lane_], last = order_[end - block + lane_];
    begin += block;
    end -= block;
    while (begin != end) {
      const bool from_right = high - end < begin - low;
      if (from_right) end -= block;
      const int next = order_[(from_right ? end : begin) + lane_];
      if (!from_right) begin += block;
      distribute(next, pivot, low, high);
    }
    distribute(first, pivot, low, high);
    distribute(last, pivot, low, high);
    return low;
  }

  // Each eight keep their order among those that go the same way; the eights fill the right end from its outside in.
  __device__ void distribute(int index, float pivot, int& low, int& high) {
    const bool below = value(index) < pivot;
    const unsigned votes = __ballot_sync(whole_warp, below), others = ~votes;  // all have read
    const unsigned before = (1U << lane_) - 1, eight = 0xFFU << (lane_ & ~7), up_to = eight | (eight - 1);
    const int at =
        below ? low + __popc(votes & before) : high - __popc(others & up_to) + __popc(others & eight & before);
    order_[at] = index;
    low += __popc(votes);
    high -= __popc(others);
    __syncwarp();
  }

  // Every comparison puts the smaller value first and leaves equal ones alone.
  __device__ void sort_by_network(int begin, int end) {
    int size = 2;
    while (size < end - begin) size *= 2;
    __syncwarp();
    for (int i = lane_; i < size; i += 32) {
      net_[i] = begin + i < end ? static_cast<int>(order_[begin + i]) : beyond;
    }
    __syncwarp();
    for (int length = 2; length <= size; length *= 2) {
      const int half = length / 2;
      for (int i = lane_; i < size / 2; i += 32) {
        compare(i / half * length + i % half, i / half * length + length - 1 - i % half);
      }
      __syncwarp();
      for (int step = length / 4; step > 0; step /= 2) {
        for (int i = lane_; i < size / 2; i += 32) {
          compare(i / step * 2 * step + i % step, i / step * 2 * step + i % step + step);
        }
        __syncwarp();
      }
    }
    for (int i = lane_; begin + i < end; i += 32) order_[begin + i] = static_cast<int>(net_[i]);
    __syncwarp();
  }

  __device__ void compare(int i, int j) {
    const int a = net_[i], b = net_[j];
    if (!(value(a) > value(b))) return;
    net_[i] = b;
    net_[j] = a;
  }

  Shared<float> values_;
  Shared<int> order_;
  Shared<int> net_;
  Shared<OrderPart> parts_;
  Shared<OrderPart> halves_;
  int lane_, warp_;
};

}  // namespace wajah::WAJAH_KERNEL_ISA
