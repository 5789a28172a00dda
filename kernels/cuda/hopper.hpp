// What kernels for compute capability 9.x are written with besides device.hpp: barriers in shared memory, the TMA, and
// products of a warpgroup (four warps, of which the first has a number divisible by four). By nvcc they come from
// hopper_nvcc.hpp, on the host from tests/cuda_host/hopper_host.hpp:
//
//   make_barrier(barrier, arrivals)        by one thread, which then calls fence_barriers(); then __syncthreads
//   arrive(barrier)                        a phase ends when `arrivals` have arrived and all bytes expected are there
//   arrive_expecting(barrier, bytes)       and bytes that the TMA brings count, those of zeros as well
//   wait_for_phase(barrier, parity)        until the phase of this parity has ended; the first has parity 0
//   fetch_tiles(to, map, barrier, x, y, z) by one thread: a box of a tensor of three dimensions (tensor_map.hpp)
//   fetch_windows(to, map, barrier, c, w, h, n, u, v)  the pixels under tap (v, u) of windows from that place on
//   fence_async()                          what this thread wrote to shared memory is seen by products and the TMA
//   Sums<Columns>                          a thread's part of 64 x Columns sums, zero at first: element i is where
//                                          sum_position (warpgroup.hpp) says
//   begin_products()                       before products on sums that a thread has touched
//   multiply<Bfloat>(sums, a, b)           64 x Columns += (64 x 16) * (16 x Columns), by descriptors of matrices:
//                                          a has its depth innermost, b its columns. Ends some time
//   commit_products(), wait_for_products<N>(sums)  all but the N newest groups have ended: their sums are there, and
//                                          what they read may be overwritten
//   shared_address(p)                      as descriptors name it
//   tensor_map(kernel, on, plan)           on the host: CudaDriver's, or an Error
//
// Each is for whole warps but those that say "one thread", arrive and the waits.
#pragma once

#include <wajah/tensor_map.hpp>

#include "device.hpp"

#ifdef __CUDACC__
#include "hopper_nvcc.hpp"
#else
#include "hopper_host.hpp"
#endif
