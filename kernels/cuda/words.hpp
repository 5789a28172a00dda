// The numbers that maps consist of, and as the float32 that is computed with: floats as they are, halves and bfloat16
// two in a register of 32 bits.
#pragma once

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

struct Floats {
  using Word = float;
};
struct HalfWords {
  using Word = uint16_t;
  static __device__ __forceinline__ unsigned pair(float low, float high) { return half_bits(low, high); }
  static __device__ __forceinline__ float2 floats(unsigned both) { return halves(both); }
};
struct BfloatWords {
  using Word = uint16_t;
  static __device__ __forceinline__ unsigned pair(float low, float high) { return bfloat_bits(low, high); }
  static __device__ __forceinline__ float2 floats(unsigned both) {
    return make_float2(__uint_as_float(both << 16), __uint_as_float(both & 0xFFFF'0000U));
  }
};

// How many numbers are 16 bytes.
template <class Words>
constexpr int vector_of = 16 / static_cast<int>(sizeof(typename Words::Word));

// `Count` neighbouring numbers, aligned to all of them or to 16 bytes if they are more.
template <class Words, int Count>
__device__ __forceinline__ void load_numbers(float (&x)[Count], const typename Words::Word* from) {
  if constexpr (sizeof(typename Words::Word) == sizeof(float)) {
    if constexpr (Count == 1) {
      x[0] = *from;
    } else {
#pragma unroll
      for (int i = 0; i < Count; i += 4) {
        const float4 four = vector_at<float4>(from + i);
        x[i] = four.x, x[i + 1] = four.y, x[i + 2] = four.z, x[i + 3] = four.w;
      }
    }
  } else {
    unsigned pairs[(Count + 1) / 2];
    if constexpr (Count == 1) {
      pairs[0] = *from;
    } else if constexpr (Count == 4) {
      const uint2 four = vector_at<uint2>(from);
      pairs[0] = four.x, pairs[1] = four.y;
    } else {
      static_assert(Count == 8);
      const uint4 eight = vector_at<uint4>(from);
      pairs[0] = eight.x, pairs[1] = eight.y, pairs[2] = eight.z, pairs[3] = eight.w;
    }
#pragma unroll
    for (int i = 0; i < Count; ++i) {
      const float2 both = Words::floats(pairs[i / 2]);
      x[i] = i % 2 == 0 ? both.x : both.y;
    }
  }
}

template <class Words, int Count>
__device__ __forceinline__ void store_numbers(typename Words::Word* to, const float (&x)[Count]) {
  if constexpr (sizeof(typename Words::Word) == sizeof(float)) {
    if constexpr (Count == 1) {
      *to = x[0];
    } else {
#pragma unroll
      for (int i = 0; i < Count; i += 4) vector_at<float4>(to + i) = make_float4(x[i], x[i + 1], x[i + 2], x[i + 3]);
    }
  } else if constexpr (Count == 1) {
    *to = static_cast<uint16_t>(Words::pair(x[0], 0.0F));
  } else if constexpr (Count == 4) {
    vector_at<uint2>(to) = make_uint2(Words::pair(x[0], x[1]), Words::pair(x[2], x[3]));
  } else {
    static_assert(Count == 8);
    vector_at<uint4>(to) =
        make_uint4(Words::pair(x[0], x[1]), Words::pair(x[2], x[3]), Words::pair(x[4], x[5]), Words::pair(x[6], x[7]));
  }
}

}  // namespace wajah::WAJAH_KERNEL_ISA
