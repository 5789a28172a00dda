// A convolution as a matrix product that is never written down: rows are output pixels, columns output channels, and
// the inner dimension walks the window's taps and, within each, the input channels. What all kernels of conv2d share.
#pragma once

#include <wajah/layers/conv2d.hpp>

#include "activation.hpp"
#include "device.hpp"
#include "words.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

struct Gemm {
  int rows = 0, inner = 0;
  int columns = 0;  // as packed: a multiple of 8
  int before_y = 0, before_x = 0;
  int per_split = 0;       // of the inner dimension; the last split may have less
  bool x_vectors = false;  // pixels of x begin at multiples of 16 bytes
  bool vectors = false;    // y and what is added to it can be reached by 16 bytes of channels
};

template <class Args>
Gemm gemm_of(const Args& args) {
  Gemm gemm;
  gemm.rows = static_cast<int>(args.y.shape.pixels());
  gemm.inner = args.window.h * args.window.w * args.x.shape.c;
  gemm.columns = (args.y.shape.c + 7) / 8 * 8;
  gemm.before_y = reach(args.x.shape.h, args.window.h, args.window.stride, args.pad).before;
  gemm.before_x = reach(args.x.shape.w, args.window.w, args.window.stride, args.pad).before;
  gemm.per_split = gemm.inner;
  gemm.x_vectors = in_vectors(args.x);
  gemm.vectors = in_vectors(args.y) && args.y.shape.c % (16 / static_cast<int>(sizeof(*args.y.data))) == 0 &&
                 (args.epilogue.add.data == nullptr || in_vectors(args.epilogue.add));
  return gemm;
}

// How many blocks share each sum: enough to fill the card twice, as far as the scratch allows and each has enough to
// do. Sets per_split: whole steps of `depth`, and no split without work.
inline int split(Gemm& gemm, const Launch& on, unsigned tiles, int depth) {
  constexpr int least_per_split = 256;  // of the inner dimension: less, and adding costs more than it gives
  const int wanted = 2 * on.processors / static_cast<int>(tiles);
  const auto room = static_cast<int>(on.partial_bytes / sizeof(float) / static_cast<size_t>(gemm.rows) /
                                     static_cast<size_t>(gemm.columns));
  const int most = max(1, min(min(wanted, gemm.inner / least_per_split), room));
  const int steps = (gemm.inner + depth - 1) / depth;
  const int steps_each = (steps + most - 1) / most;
  gemm.per_split = steps_each * depth;
  return (steps + steps_each - 1) / steps_each;
}

// Where the window of one output pixel lies in the input.
template <class T>
struct WindowAt {
  const T* image = nullptr;  // null: no such pixel
  int top = 0, left = 0;

  WindowAt() = default;
  template <class Args>
  __device__ WindowAt(const Args& args, const Gemm& gemm, int row) {
    if (row >= gemm.rows) return;
    const Shape& y = args.y.shape;
    const int x_at = row % y.w, y_at = row / y.w % y.h, n = row / y.w / y.h;
    image = args.x.data + static_cast<ptrdiff_t>(n) * args.x.shape.h * args.x.shape.w * args.x.stride;
    top = y_at * args.window.stride - gemm.before_y;
    left = x_at * args.window.stride - gemm.before_x;
  }

  // The input pixel under tap (v, u); null where there is none.
  template <class Args>
  __device__ const T* pixel(const Args& args, int v, int u) const {
    const int at_y = top + v, at_x = left + u;
    const bool inside = image != nullptr && at_y >= 0 && at_y < args.x.shape.h && at_x >= 0 && at_x < args.x.shape.w;
    return inside ? image + (at_y * args.x.shape.w + at_x) * args.x.stride : nullptr;
  }
};

// A place in the inner dimension: tap and channel. Steps are small against the channels or the other way round, never
// both, so that a loop replaces two divisions.
struct InnerAt {
  int v = 0, u = 0, c = 0;

  template <class Args>
  __device__ InnerAt(const Args& args, int k) {
    const int tap = k / args.x.shape.c;
    c = k % args.x.shape.c;
    v = tap / args.window.w;
    u = tap % args.window.w;
  }
  template <class Args>
  __device__ void advance(const Args& args, int step) {
    c += step;
    while (c >= args.x.shape.c) {
      c -= args.x.shape.c;
      if (++u == args.window.w) {
        u = 0;
        ++v;
      }
    }
  }
};

template <class Args>
__device__ __forceinline__ float finished(const Args& args, float sum, float add, int channel) {
  sum += args.biases[channel];
  if (args.epilogue.add.data != nullptr) sum = add + args.epilogue.scale * sum;
  return activate(args.activation, sum, channel);
}

// Whether y goes to Args::floats although maps consist of words.
template <class Args>
__device__ __forceinline__ float* floats_of(const Args& args) {
  if constexpr (requires { args.floats; }) {
    return args.floats;
  } else {
    return nullptr;
  }
}

// Ends the sums of neighbouring channels of one row, of which the last may not exist, and stores them.
template <class Words, class Args, int Count>
__device__ __forceinline__ void store_run(const Args& args, const Gemm& gemm, int row, int column,
                                          const float (&sums)[Count]) {
  if (row >= gemm.rows || column >= args.y.shape.c) return;
  const ptrdiff_t at = row * args.y.stride + column;
  const auto* const add =
      args.epilogue.add.data == nullptr ? nullptr : args.epilogue.add.data + row * args.epilogue.add.stride + column;
  float* const floats = floats_of(args);
  if (gemm.vectors) {
    float added[Count] = {}, result[Count];
    if (add != nullptr) load_numbers<Words>(added, add);
#pragma unroll
    for (int i = 0; i < Count; ++i) result[i] = finished(args, sums[i], added[i], column + i);
    if (floats == nullptr) {
      store_numbers<Words>(args.y.data + at, result);
    } else {
      store_numbers<Floats>(floats + at, result);
    }
  } else {
    for (int i = 0; i < Count && column + i < args.y.shape.c; ++i) {
      float added[1] = {}, result[1];
      if (add != nullptr) load_numbers<Words>(added, add + i);
      result[0] = finished(args, sums[i], added[0], column + i);
      if (floats == nullptr) {
        store_numbers<Words>(args.y.data + at + i, result);
      } else {
        floats[at + i] = result[0];
      }
    }
  }
}

// The sums go to this split's share of the scratch instead, if there are several splits.
template <class Words, class Args, int Count>
__device__ __forceinline__ void end_run(const Args& args, const Gemm& gemm, float* partials, int row, int column,
                                        const float (&sums)[Count]) {
  if (partials == nullptr) return store_run<Words>(args, gemm, row, column, sums);
  if (row >= gemm.rows || column >= gemm.columns) return;
  store_numbers<Floats>(partials + (static_cast<ptrdiff_t>(blockIdx.z) * gemm.rows + row) * gemm.columns + column,
                        sums);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
