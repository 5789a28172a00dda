// device.hpp on a card. Tensor-core instructions and cp.async need sm_80.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

namespace wajah {

// Throws Error (device): `call` on `kernel` gave this CUDA error.
[[noreturn]] void cuda_launch_failed(const char* call, const char* kernel, int error);

template <class T>
using Shared = T*;

#define WAJAH_SHARED(T, name, count) __shared__ __align__(128) T name[count]
#define WAJAH_DYNAMIC_SHARED(T, name, count)                      \
  extern __shared__ __align__(128) unsigned char wajah_dynamic[]; \
  T* const name = reinterpret_cast<T*>(wajah_dynamic)

template <class U, class T>
__device__ __forceinline__ U* shared_cast(T* pointer) {
  return reinterpret_cast<U*>(pointer);
}
template <class V, class T>
__device__ __forceinline__ V& vector_at(T* pointer) {
  return *reinterpret_cast<V*>(pointer);
}
template <class V, class T>
__device__ __forceinline__ const V& vector_at(const T* pointer) {
  return *reinterpret_cast<const V*>(pointer);
}

// The next kernel may then be placed beside this one, where that leaves room: when all blocks of this one have come
// here. It waits in turn, so at most two are on the card. Cards before Hopper have neither instruction.
__device__ __forceinline__ void wait_for_earlier() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

// `cluster` blocks, one after another in x, run at the same time and read one another's shared memory (cluster.hpp).
template <class... Params, class... Args>
void launch_clusters(const char* name, void (*kernel)(Params...), unsigned cluster, dim3 grid, dim3 block,
                     size_t shared, const Launch& on, const Args&... args) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  constexpr size_t without_asking = 48 * 1024;
  if (shared > without_asking) {
    const cudaError_t error =
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared));
    if (error != cudaSuccess) cuda_launch_failed("cudaFuncSetAttribute", name, error);
  }
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared;
  config.stream = static_cast<cudaStream_t>(on.stream);
  cudaLaunchAttribute attributes[2] = {};
  unsigned count = 0;
  if (on.dependent) {
    attributes[count].id = cudaLaunchAttributeProgrammaticStreamSerialization;
    attributes[count++].val.programmaticStreamSerializationAllowed = 1;
  }
  if (cluster > 1) {
    attributes[count].id = cudaLaunchAttributeClusterDimension;
    attributes[count].val.clusterDim.x = cluster;
    attributes[count].val.clusterDim.y = 1;
    attributes[count++].val.clusterDim.z = 1;
  }
  config.attrs = attributes;
  config.numAttrs = count;
  const cudaError_t error = cudaLaunchKernelEx(&config, kernel, static_cast<Params>(args)...);
  if (error != cudaSuccess) cuda_launch_failed("cudaLaunchKernelEx", name, error);
}

template <class... Params, class... Args>
void launch(const char* name, void (*kernel)(Params...), dim3 grid, dim3 block, size_t shared, const Launch& on,
            const Args&... args) {
  launch_clusters(name, kernel, 1, grid, block, shared, on, args...);
}

__device__ __forceinline__ unsigned shared_address(const void* pointer) {
  return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

template <class T>
__device__ __forceinline__ void copy_async16(T* to, const void* from, int bytes) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from), "r"(bytes)
               : "memory");
}
// 4 bytes, for what is not aligned to more.
template <class T>
__device__ __forceinline__ void copy_async4(T* to, const void* from, int bytes) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(shared_address(to)), "l"(from), "r"(bytes)
               : "memory");
}
__device__ __forceinline__ void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int N>
__device__ __forceinline__ void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}

template <class T>
__device__ __forceinline__ void load_matrices(unsigned (&r)[4], const T* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}
template <class T>
__device__ __forceinline__ void load_matrices_transposed(unsigned (&r)[4], const T* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}

#define WAJAH_MMA(name, instruction, D, constraint)                                                 \
  __device__ __forceinline__ void name(D(&d)[4], const unsigned(&a)[4], unsigned b0, unsigned b1) { \
    asm volatile(instruction " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"     \
                 : constraint(d[0]), constraint(d[1]), constraint(d[2]), constraint(d[3])           \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));                   \
  }
WAJAH_MMA(multiply_f16, "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", float, "+f")
WAJAH_MMA(multiply_bf16, "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", float, "+f")
WAJAH_MMA(multiply_tf32, "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", float, "+f")
WAJAH_MMA(multiply_bytes, "mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32", int, "+r")
#undef WAJAH_MMA

// Two floats as halves, the first in the low bits.
__device__ __forceinline__ unsigned half_bits(float low, float high) {
  const __half2 both = __floats2half2_rn(low, high);
  return *reinterpret_cast<const unsigned*>(&both);
}
__device__ __forceinline__ unsigned bfloat_bits(float low, float high) {
  const __nv_bfloat162 both = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const unsigned*>(&both);
}
// And back.
__device__ __forceinline__ float2 halves(unsigned bits) {
  return __half22float2(*reinterpret_cast<const __half2*>(&bits));
}
__device__ __forceinline__ unsigned tf32(float x) {
  unsigned rounded;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(x));
  return rounded;
}

}  // namespace wajah
