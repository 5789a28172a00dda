// hopper.hpp on a card. Instructions of sm_90a: kernels use them where has_warpgroup_products, and stop elsewhere.
#pragma once

#include <cuda_runtime.h>

namespace wajah {

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
inline constexpr bool has_warpgroup_products = true;
#else
inline constexpr bool has_warpgroup_products = false;
#endif

using Barrier = unsigned long long;

inline TensorMap tensor_map(const char* kernel, const Launch& on, const TensorMapPlan& plan) {
  TensorMap map;
  if (const int error = on.make_tensor_map(&map, plan); error != 0) {
    cuda_launch_failed("cuTensorMapEncode", kernel, error);
  }
  return map;
}

// For a kernel that was launched on a card it is not compiled for.
__device__ __forceinline__ void stop_kernel() { __trap(); }

__device__ __forceinline__ void make_barrier(Barrier* barrier, unsigned arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(arrivals) : "memory");
}
// For the asynchronous proxy, which the TMA belongs to, as well as for other threads after a barrier of the block.
__device__ __forceinline__ void fence_barriers() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
__device__ __forceinline__ void arrive(Barrier* barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier)) : "memory");
}
__device__ __forceinline__ void arrive_expecting(Barrier* barrier, unsigned bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)), "r"(bytes)
               : "memory");
}
__device__ __forceinline__ void wait_for_phase(Barrier* barrier, unsigned parity) {
  asm volatile(
      "{\n"
      ".reg .pred ended;\n"
      "again:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 ended, [%0], %1;\n"
      "@!ended bra again;\n"
      "}" ::"r"(shared_address(barrier)),
      "r"(parity)
      : "memory");
}
__device__ __forceinline__ void fence_async() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// A map is named by its address: it is a kernel's parameter (__grid_constant__), which the TMA reads where it lies.
template <class T>
__device__ __forceinline__ void fetch_tiles(T* to, const TensorMap& map, Barrier* barrier, int x, int y, int z) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3, %4}], "
      "[%5];" ::"r"(shared_address(to)),
      "l"(&map), "r"(x), "r"(y), "r"(z), "r"(shared_address(barrier))
      : "memory");
}
template <class T>
__device__ __forceinline__ void fetch_windows(T* to, const TensorMap& map, Barrier* barrier, int c, int w, int h, int n,
                                              int u, int v) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3, %4, "
      "%5}], "
      "[%6], {%7, %8};" ::"r"(shared_address(to)),
      "l"(&map), "r"(c), "r"(w), "r"(h), "r"(n), "r"(shared_address(barrier)), "h"(static_cast<unsigned short>(u)),
      "h"(static_cast<unsigned short>(v))
      : "memory");
}

template <int Columns>
struct Sums {
  float values[Columns / 2] = {};
  __device__ __forceinline__ float& operator[](int i) { return values[i]; }
  __device__ __forceinline__ float operator[](int i) const { return values[i]; }
};

__device__ __forceinline__ void begin_products() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ __forceinline__ void commit_products() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

// The compiler must not move reads of the sums to before the wait: it is told that the wait changes them.
template <int Unfinished, int Columns>
__device__ __forceinline__ void wait_for_products(Sums<Columns>& sums) {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(Unfinished) : "memory");
  if constexpr (Unfinished == 0) {
#pragma unroll
    for (float& sum : sums.values) asm volatile("" : "+f"(sum)::"memory");
  }
}

// clang-format off
#define WAJAH_REGISTERS_0 \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15" \
  ", %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define WAJAH_REGISTERS_32 \
  ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47" \
  ", %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define WAJAH_REGISTERS_64 \
  ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79" \
  ", %80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95"
#define WAJAH_REGISTERS_96 \
  ", %96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111" \
  ", %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"
#define WAJAH_SUMS_8(i) \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])
#define WAJAH_SUMS_32(i) WAJAH_SUMS_8(i), WAJAH_SUMS_8(i + 8), WAJAH_SUMS_8(i + 16), WAJAH_SUMS_8(i + 24)
// clang-format on

// The sums are added to, nothing is negated; the left matrix has its depth innermost, the right one its columns.
#define WAJAH_WGMMA(shape, type, registers, a_number, b_number, ...)                                                   \
  asm volatile("wgmma.mma_async.sync.aligned." shape ".f32." type "." type " {" registers "}, " a_number ", " b_number \
               ", 1, 1, 1, 0, 1;"                                                                                      \
               : __VA_ARGS__                                                                                           \
               : "l"(a), "l"(b))
#define WAJAH_WGMMA_OF(type)                                                                                    \
  if constexpr (Columns == 64) {                                                                                \
    WAJAH_WGMMA("m64n64k16", type, WAJAH_REGISTERS_0, "%32", "%33", WAJAH_SUMS_32(0));                          \
  } else if constexpr (Columns == 128) {                                                                        \
    WAJAH_WGMMA("m64n128k16", type, WAJAH_REGISTERS_0 WAJAH_REGISTERS_32, "%64", "%65", WAJAH_SUMS_32(0),       \
                WAJAH_SUMS_32(32));                                                                             \
  } else if constexpr (Columns == 192) {                                                                        \
    WAJAH_WGMMA("m64n192k16", type, WAJAH_REGISTERS_0 WAJAH_REGISTERS_32 WAJAH_REGISTERS_64, "%96", "%97",      \
                WAJAH_SUMS_32(0), WAJAH_SUMS_32(32), WAJAH_SUMS_32(64));                                        \
  } else {                                                                                                      \
    static_assert(Columns == 256);                                                                              \
    WAJAH_WGMMA("m64n256k16", type, WAJAH_REGISTERS_0 WAJAH_REGISTERS_32 WAJAH_REGISTERS_64 WAJAH_REGISTERS_96, \
                "%128", "%129", WAJAH_SUMS_32(0), WAJAH_SUMS_32(32), WAJAH_SUMS_32(64), WAJAH_SUMS_32(96));     \
  }

template <bool Bfloat, int Columns>
__device__ __forceinline__ void multiply(Sums<Columns>& sums, uint64_t a, uint64_t b) {
  float* const d = sums.values;
  if constexpr (Bfloat) {
    WAJAH_WGMMA_OF("bf16")
  } else {
    WAJAH_WGMMA_OF("f16")
  }
}

#undef WAJAH_REGISTERS_0
#undef WAJAH_REGISTERS_32
#undef WAJAH_REGISTERS_64
#undef WAJAH_REGISTERS_96
#undef WAJAH_SUMS_8
#undef WAJAH_SUMS_32
#undef WAJAH_WGMMA
#undef WAJAH_WGMMA_OF

}  // namespace wajah
