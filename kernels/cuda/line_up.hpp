// How the threads of a block write to a list what some of them have, in their order.
#pragma once

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

template <int Threads>
class LineUp {
 public:
  static constexpr int words = Threads / 32;  // of shared memory

  __device__ explicit LineUp(Shared<int> sums) : sums_(sums) {}

  // Called by all threads: the place in the list of one that has something. `length` grows by how many have.
  __device__ int place(bool has, int& length) {
    const unsigned votes = __ballot_sync(whole_warp, has);
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    __syncthreads();  // all have read the call before
    if (lane == 0) sums_[warp] = __popc(votes);
    __syncthreads();
    int before = length;
    for (int w = 0; w < words; ++w) {
      const int sum = sums_[w];
      if (w < warp) before += sum;
      length += sum;
    }
    return before + __popc(votes & ((1U << lane) - 1));
  }

 private:
  Shared<int> sums_;
};

}  // namespace wajah::WAJAH_KERNEL_ISA
