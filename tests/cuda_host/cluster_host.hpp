// kernels/cuda/cluster.hpp on the host: the blocks of a cluster are fibers of one executor.
#pragma once

#include "device_host.hpp"

namespace wajah {

constexpr bool in_clusters() { return true; }

inline unsigned cluster_rank() { return shim::Executor::current().placed().home->rank; }

inline void arrive_in_cluster(WAJAH_SITE) { shim::Executor::current().arrive_in_cluster({file, line}); }
inline void wait_in_cluster(WAJAH_SITE) { shim::Executor::current().wait_in_cluster({file, line}); }
inline void cluster_barrier(WAJAH_SITE) {
  arrive_in_cluster(file, line);
  wait_in_cluster(file, line);
}

template <class V, class T>
V neighbour_at(Shared<T> pointer, unsigned rank) {
  static_assert(sizeof(V) == 16);
  shim::Executor& executor = shim::Executor::current();
  executor.require_waited("reads shared memory");
  shim::check_alignment<V>(pointer.address());
  const shim::Visitor me = executor.thread().visitor();
  const shim::SharedMemory& own = executor.shared();
  shim::SharedMemory& there = executor.neighbour(rank).shared;
  const auto place = [&](const void* at) { return own.same_place(static_cast<const char*>(at), there); };
  const char* const at = place(pointer.address());
  const shim::SharedMemory::Extent extent{place(pointer.extent().first), place(pointer.extent().last)};
  if (const shim::Fault fault = there.read_by_neighbour(at, sizeof(V), extent, me); fault != shim::Fault::none) {
    executor.stop(there.explain(fault, at, sizeof(V), extent, me));
  }
  V value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

}  // namespace wajah
