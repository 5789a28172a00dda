// max_pool2d_half: the largest word of each window, channel by channel. Bound by memory.
// Step 1: a thread an output number, neighbouring threads neighbouring channels, so that a warp reads whole lines. No
//         word becomes a float: with the magnitude's bits turned round where the sign is set, words are ordered as
//         signed whole numbers, halves and bfloat16 alike, and the largest goes back the same way.
// Step 2: eight channels a thread where all pixels lie on 16 bytes: an eighth of the loads and of the index arithmetic.
#include <wajah/layers/max_pool2d_half.hpp>

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 256;
constexpr int least = -0x8000;

// Either way.
__device__ __forceinline__ int turned(int word) { return word < 0 ? word ^ 0x7FFF : word; }

// `Width` neighbouring words.
template <int Width>
struct Largest {
  int x[Width];

  __device__ Largest() {
#pragma unroll
    for (int& largest : x) largest = least;
  }
  __device__ void see(const uint16_t* from) {
    if constexpr (Width == 8) {
      const uint4 eight = vector_at<uint4>(from);
      const unsigned pairs[4] = {eight.x, eight.y, eight.z, eight.w};
#pragma unroll
      for (int i = 0; i < 8; ++i) see(i, static_cast<int16_t>(pairs[i / 2] >> i % 2 * 16));
    } else {
      see(0, static_cast<int16_t>(*from));
    }
  }
  __device__ void store(uint16_t* to) const {
    if constexpr (Width == 8) {
      unsigned pairs[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) pairs[i] = word(2 * i) | word(2 * i + 1) << 16;
      vector_at<uint4>(to) = make_uint4(pairs[0], pairs[1], pairs[2], pairs[3]);
    } else {
      *to = static_cast<uint16_t>(word(0));
    }
  }

 private:
  __device__ void see(int i, int word) { x[i] = max(x[i], turned(word)); }
  __device__ unsigned word(int i) const { return static_cast<unsigned>(turned(x[i])) & 0xFFFFU; }
};

template <int Width>
__global__ void __launch_bounds__(threads)
    max_pool2d_half_kernel(MaxPool2dHalfArgs args, int before_y, int before_x, int count) {
  wait_for_earlier();
  const int i = static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x);
  if (i >= count) return;
  const Shape& x = args.x.shape;
  const Shape& y = args.y.shape;
  const int groups = y.c / Width;
  const int pixel = i / groups, c = i % groups * Width;
  const int n = pixel / y.w / y.h;
  const int top = pixel / y.w % y.h * args.window.stride - before_y;
  const int left = pixel % y.w * args.window.stride - before_x;
  Largest<Width> largest;
  for (int v = max(top, 0); v < min(top + args.window.h, x.h); ++v) {
    for (int u = max(left, 0); u < min(left + args.window.w, x.w); ++u) largest.see(args.x.pixel(n, v, u) + c);
  }
  largest.store(args.y.data + pixel * args.y.stride + c);
}

}  // namespace

void max_pool2d_half(const MaxPool2dHalfArgs& args, const Launch& on) {
  const int before_y = reach(args.x.shape.h, args.window.h, args.window.stride, args.pad).before;
  const int before_x = reach(args.x.shape.w, args.window.w, args.window.stride, args.pad).before;
  const bool vectors = args.y.shape.c % 8 == 0 && in_vectors(args.x) && in_vectors(args.y);
  const auto count = static_cast<int>(args.y.shape.size()) / (vectors ? 8 : 1);
  launch("max_pool2d_half", vectors ? max_pool2d_half_kernel<8> : max_pool2d_half_kernel<1>,
         dim3{blocks_of(count, threads)}, dim3{threads}, 0, on, args, before_y, before_x, count);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
