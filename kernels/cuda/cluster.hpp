// Clusters: up to eight blocks that run at the same time on neighbouring multiprocessors (sm_90) and read one another's
// shared memory. launch_clusters (device.hpp) starts them; kernels are written with
//
//   in_clusters()                   whether the card being compiled for has them; a kernel's whole body is under this
//   cluster_rank()                  which block of its cluster this is
//   arrive_in_cluster(), wait_in_cluster()  the cluster's barrier in two halves, for all threads
//   cluster_barrier()               both
//   neighbour_at<uint4>(p, rank)    16 bytes at the place of p in the shared memory of block `rank`
//
// What a thread wrote before it arrived is there for all who have waited. A block's shared memory is gone when it ends,
// so all meet once more after the last reading: the host build says where they do not, and where a reader has not
// waited.
#pragma once

#include "device.hpp"

#ifdef __CUDACC__
#include "cluster_nvcc.hpp"
#else
#include "cluster_host.hpp"
#endif
