// cluster.hpp on a card (PTX ISA 7.8: barrier.cluster, mapa, ld.shared::cluster). Barriers have .release and .acquire
// where nothing is said.
#pragma once

#include "device.hpp"

namespace wajah {

// The build for older cards compiles such kernels to nothing; nobody launches them there.
__device__ constexpr bool in_clusters() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
  return false;
#else
  return true;
#endif
}

__device__ __forceinline__ unsigned cluster_rank() {
  unsigned rank;
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
}

__device__ __forceinline__ void arrive_in_cluster() {
  asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
}
__device__ __forceinline__ void wait_in_cluster() {
  asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
}
__device__ __forceinline__ void cluster_barrier() {
  arrive_in_cluster();
  wait_in_cluster();
}

template <class V, class T>
__device__ __forceinline__ V neighbour_at(const T* pointer, unsigned rank) {
  static_assert(sizeof(V) == 16);
  unsigned there;
  uint4 words;
  asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(there) : "r"(shared_address(pointer)), "r"(rank));
  asm volatile("ld.shared::cluster.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(words.x), "=r"(words.y), "=r"(words.z), "=r"(words.w)
               : "r"(there)
               : "memory");
  return *reinterpret_cast<const V*>(&words);
}

}  // namespace wajah
