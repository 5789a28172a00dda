// What kernels of this folder are written with besides CUDA itself. The build by nvcc takes these from device_nvcc.hpp,
// the one by g++ that tests run on the host from tests/cuda_host/device_host.hpp:
//
//   launch(name, kernel, grid, block, dynamic shared bytes, on, args...)   an empty grid is no work
//   launch_clusters(name, kernel, blocks a cluster, grid, ...)   the same in clusters (cluster.hpp)
//   wait_for_earlier()                     a kernel's first statement: what earlier ones wrote is there, and what they
//                                          read may be overwritten (Launch::dependent)
//   WAJAH_SHARED(T, name, count)           an array in shared memory; WAJAH_DYNAMIC_SHARED the one sized by launch()
//   Shared<T>, shared_cast<U>(p)           a pointer into it (T* on a card, checked on the host)
//   vector_at<float4>(p)                   16 bytes at once, aligned; p in global or shared memory
//   copy_async16(shared, global, bytes)    16 bytes to shared memory, those after `bytes` are zeros; they have arrived
//   commit_copies(), wait_for_copies<N>()  after all but the N newest groups have been waited for, and a barrier
//   load_matrices(r, row), ..._transposed  ldmatrix.x4: lane l gives a row of 8 halves of matrix l / 8
//   multiply_f16, _bf16, _tf32, _bytes     one mma.sync of the warp (fragments.hpp)
//   half_bits(a, b), bfloat_bits, tf32     rounded to nearest; halves(bits) gives two back
//
// Blocks have whole warps. Kernels are written so that a thread never reads shared memory that another one writes
// between the same two barriers: the host build says where one does.
#pragma once

#include <wajah/launch.hpp>
#include <wajah/shape.hpp>

#ifdef __CUDACC__
#include "device_nvcc.hpp"
#else
#include "device_host.hpp"
#endif

namespace wajah {

// Blocks of `size` that cover `count`.
constexpr unsigned blocks_of(long long count, int size) { return static_cast<unsigned>((count + size - 1) / size); }

constexpr unsigned whole_warp = 0xFFFF'FFFFU;

// Whether every pixel begins at a multiple of 16 bytes, so that channels can be moved four at once.
template <class T>
bool in_vectors(const View<T>& view) {
  return reinterpret_cast<uintptr_t>(view.data) % 16 == 0 && view.stride % (16 / static_cast<int>(sizeof(T))) == 0;
}

}  // namespace wajah
