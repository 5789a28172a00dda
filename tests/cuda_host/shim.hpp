// What a .cu file of kernels/cuda sees instead of CUDA when it is compiled as plain C++: the language's words, the
// indices, barriers, votes, shuffles and atomics. Operations of the project's own (shared arrays, copy_async, mma) are
// declared in kernels/cuda/device.hpp for both.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "executor.hpp"
#include "launcher.hpp"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)

#define threadIdx (::wajah::shim::Executor::current().placed().index)
#define blockIdx (::wajah::shim::Executor::current().placed().block)
#define blockDim (::wajah::shim::Executor::current().shape().block)
#define gridDim (::wajah::shim::Executor::current().shape().grid)

using dim3 = ::wajah::shim::Dim;

struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

// A waiting place is known by its line in the kernel.
#define WAJAH_SITE const char *file = __builtin_FILE(), unsigned line = __builtin_LINE()

inline void __syncthreads(WAJAH_SITE) { ::wajah::shim::Executor::current().barrier({file, line}, false); }
inline int __syncthreads_count(bool vote, WAJAH_SITE) {
  return ::wajah::shim::Executor::current().barrier({file, line}, vote);
}
inline int __syncthreads_or(bool vote, WAJAH_SITE) { return __syncthreads_count(vote, file, line) != 0 ? 1 : 0; }
inline int __syncthreads_and(bool vote, WAJAH_SITE) { return __syncthreads_count(!vote, file, line) == 0 ? 1 : 0; }
inline void __syncwarp(unsigned mask = 0xFFFF'FFFFU, WAJAH_SITE) {
  ::wajah::shim::Executor::current().collective({file, line}, mask, nullptr, nullptr);
}

namespace wajah::shim {

// Calls visit(lane, that lane's payload) for every lane of a collective.
template <class Payload>
void each_lane(void* const* payloads, std::uint32_t mask, auto&& visit) {
  for (unsigned lane = 0; lane < 32; ++lane) {
    if ((mask >> lane & 1U) != 0) visit(lane, *static_cast<Payload*>(payloads[lane]));
  }
}

template <class T>
struct Shuffle {
  T value;
  unsigned from;  // lane whose value to take
  T result;
};

template <class T>
T shuffle(Site site, unsigned mask, T value, unsigned from) {
  Shuffle<T> mine{value, from, value};
  Executor& executor = Executor::current();
  if ((mask >> from & 1U) == 0) executor.stop("a shuffle from a lane that its mask leaves out");
  executor.collective(site, mask, &mine, [](void* const* payloads, std::uint32_t lanes) {
    each_lane<Shuffle<T>>(payloads, lanes, [&](unsigned, Shuffle<T>& lane) {
      lane.result = static_cast<Shuffle<T>*>(payloads[lane.from])->value;
    });
  });
  return mine.result;
}

// One value of all lanes: reduce(result so far, lane, value).
template <class T, class R, class Reduce>
R reduce(Site site, unsigned mask, T value, R start, Reduce) {
  struct Mine {
    T value;
    R start, result;
  } mine{value, start, start};
  Executor::current().collective(site, mask, &mine, [](void* const* payloads, std::uint32_t lanes) {
    R result{};
    bool first = true;
    each_lane<Mine>(payloads, lanes, [&](unsigned lane, Mine& m) {
      if (first) result = m.start;
      first = false;
      result = Reduce{}(result, lane, m.value);
    });
    each_lane<Mine>(payloads, lanes, [&](unsigned, Mine& m) { m.result = result; });
  });
  return mine.result;
}

inline unsigned my_lane() { return Executor::current().thread().lane(); }

}  // namespace wajah::shim

// Source lanes outside of the group of `width` lanes give the own value, as on a card.
template <class T>
T __shfl_sync(unsigned mask, T value, int lane, int width = 32, WAJAH_SITE) {
  const unsigned me = ::wajah::shim::my_lane(), w = static_cast<unsigned>(width);
  return ::wajah::shim::shuffle({file, line}, mask, value, me / w * w + static_cast<unsigned>(lane) % w);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, WAJAH_SITE) {
  const unsigned me = ::wajah::shim::my_lane(), w = static_cast<unsigned>(width);
  const unsigned from = me ^ static_cast<unsigned>(bits);
  return ::wajah::shim::shuffle({file, line}, mask, value, from / w <= me / w ? from : me);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, WAJAH_SITE) {
  const unsigned me = ::wajah::shim::my_lane(), w = static_cast<unsigned>(width);
  return ::wajah::shim::shuffle({file, line}, mask, value, me % w + delta < w ? me + delta : me);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, WAJAH_SITE) {
  const unsigned me = ::wajah::shim::my_lane(), w = static_cast<unsigned>(width);
  return ::wajah::shim::shuffle({file, line}, mask, value, me % w >= delta ? me - delta : me);
}
inline unsigned __ballot_sync(unsigned mask, bool vote, WAJAH_SITE) {
  return ::wajah::shim::reduce({file, line}, mask, vote, 0U,
                               [](unsigned all, unsigned lane, bool v) { return v ? all | 1U << lane : all; });
}
inline int __any_sync(unsigned mask, bool vote, WAJAH_SITE) { return __ballot_sync(mask, vote, file, line) != 0; }
inline int __all_sync(unsigned mask, bool vote, WAJAH_SITE) { return __ballot_sync(mask, !vote, file, line) == 0; }
template <class T>
T __reduce_add_sync(unsigned mask, T value, WAJAH_SITE) {
  return ::wajah::shim::reduce({file, line}, mask, value, T{},
                               [](T all, unsigned, T v) { return static_cast<T>(all + v); });
}
template <class T>
T __reduce_max_sync(unsigned mask, T value, WAJAH_SITE) {
  return ::wajah::shim::reduce({file, line}, mask, value, value, [](T all, unsigned, T v) { return std::max(all, v); });
}
template <class T>
T __reduce_min_sync(unsigned mask, T value, WAJAH_SITE) {
  return ::wajah::shim::reduce({file, line}, mask, value, value, [](T all, unsigned, T v) { return std::min(all, v); });
}

namespace wajah::shim {

// Atomics, vectors and __ldg say when they come too early; what a plain pointer reads nobody sees, but where it points
// depends on the thread's index.
inline void note_global_access() { Executor::current().require_waited("accesses memory"); }

}  // namespace wajah::shim

// Global memory. Blocks run on several host threads, so these are real atomics.
template <class T>
T atomicAdd(T* to, std::type_identity_t<T> value) {
  ::wajah::shim::note_global_access();
  return std::atomic_ref<T>(*to).fetch_add(value);
}
template <class T>
T atomicOr(T* to, std::type_identity_t<T> value) {
  ::wajah::shim::note_global_access();
  return std::atomic_ref<T>(*to).fetch_or(value);
}
template <class T>
T atomicExch(T* to, std::type_identity_t<T> value) {
  ::wajah::shim::note_global_access();
  return std::atomic_ref<T>(*to).exchange(value);
}
template <class T>
T atomicCAS(T* to, std::type_identity_t<T> expected, std::type_identity_t<T> value) {
  ::wajah::shim::note_global_access();
  std::atomic_ref<T>(*to).compare_exchange_strong(expected, value);
  return expected;
}
template <class T>
T atomicMax(T* to, std::type_identity_t<T> value) {
  ::wajah::shim::note_global_access();
  std::atomic_ref<T> all(*to);
  T seen = all.load();
  while (seen < value && !all.compare_exchange_weak(seen, value)) {
  }
  return seen;
}
template <class T>
T atomicMin(T* to, std::type_identity_t<T> value) {
  ::wajah::shim::note_global_access();
  std::atomic_ref<T> all(*to);
  T seen = all.load();
  while (value < seen && !all.compare_exchange_weak(seen, value)) {
  }
  return seen;
}
inline void __threadfence() { std::atomic_thread_fence(std::memory_order_seq_cst); }

template <class T>
T __ldg(const T* from) {
  ::wajah::shim::note_global_access();
  return *from;
}
inline int __popc(unsigned x) { return std::popcount(x); }
inline int __popcll(unsigned long long x) { return std::popcount(x); }
inline int __ffs(int x) { return x == 0 ? 0 : std::countr_zero(static_cast<unsigned>(x)) + 1; }
inline int __ffsll(long long x) { return x == 0 ? 0 : std::countr_zero(static_cast<unsigned long long>(x)) + 1; }
inline int __clz(int x) { return std::countl_zero(static_cast<unsigned>(x)); }
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline float __expf(float x) { return std::exp(x); }
inline float rsqrtf(float x) { return 1 / std::sqrt(x); }
inline float __fdividef(float x, float y) { return x / y; }
inline float __fadd_rn(float x, float y) { return x + y; }
inline float __fmul_rn(float x, float y) { return x * y; }
inline double __dadd_rn(double x, double y) { return x + y; }
inline double __dmul_rn(double x, double y) { return x * y; }
inline int __dp4a(int a, int b, int sum) {
  for (unsigned i = 0; i < 32; i += 8) sum += static_cast<std::int8_t>(a >> i) * static_cast<std::int8_t>(b >> i);
  return sum;
}
inline int __float2int_rn(float x) { return static_cast<int>(std::nearbyint(x)); }
using std::max;
using std::min;
