// gather_hits: P-Net's hits, which lie in whatever order its blocks found them, as boxes level by level and in the
// order in which the CPU walks a level.
// Step 1: the host sorts them: 32 bytes a hit go down, boxes come up again, and the card waits.
// Step 2: a block a level. It reads the levels of all hits, takes its own and counts those before it, and sorts them by
// column and row in shared memory (bitonic, Batcher 1968), which differ, so any method gives the same order.
#include "boxes.hpp"
#include "line_up.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 256;

// How many entries are sorted for this many hits.
__device__ __host__ __forceinline__ int sorted_at_once(int count) {
  int size = 1;
  while (size < count) size *= 2;
  return size;
}

__device__ __forceinline__ void sort_pairs(Shared<unsigned> keys, Shared<int> places, int size) {
  for (int length = 2; length <= size; length *= 2) {
    for (int step = length / 2; step > 0; step /= 2) {
      for (int i = static_cast<int>(threadIdx.x); i < size / 2; i += threads) {
        const int low = i / step * 2 * step + i % step, high = low + step;
        const unsigned a = keys[low], b = keys[high];
        if ((a > b) != ((low & length) == 0)) continue;
        const int place = places[low];
        keys[low] = b;
        keys[high] = a;
        places[low] = static_cast<int>(places[high]);
        places[high] = place;
      }
      __syncthreads();
    }
  }
}

__device__ __forceinline__ ScoredCardBox box_of(const PNetPlace& place, double scale) {
  const double left = place.column * pnet_stride + 1, upper = place.row * pnet_stride + 1;
  return {trunc(left / scale), trunc(upper / scale), trunc((left + pnet_window - 1) / scale),
          trunc((upper + pnet_window - 1) / scale), place.score};
}

__global__ void __launch_bounds__(threads) gather_hits_kernel(GatherHitsArgs args) {
  wait_for_earlier();
  WAJAH_SHARED(int, sums, LineUp<threads>::words);
  WAJAH_DYNAMIC_SHARED(unsigned, keys, 2 * sorted_at_once(args.from.room));
  const auto places = shared_cast<int>(keys + sorted_at_once(args.from.room));
  const int t = static_cast<int>(threadIdx.x), level = static_cast<int>(blockIdx.x);
  const int found = min(*args.from.found, args.from.room);
  LineUp<threads> line_up(sums);
  int count = 0, before = 0;
  for (int first = 0; first < found; first += threads) {
    const int i = first + t, its = i < found ? args.from.places[i].level : args.levels;
    const int at = line_up.place(its == level, count);
    (void)line_up.place(its < level, before);
    if (its != level) continue;
    keys[at] = static_cast<unsigned>(args.from.places[i].column) << 16 | static_cast<unsigned>(args.from.places[i].row);
    places[at] = i;
  }
  const int size = sorted_at_once(count);
  for (int i = count + t; i < size; i += threads) {
    keys[i] = 0xFFFF'FFFFU;
    places[i] = 0;
  }
  __syncthreads();
  sort_pairs(keys, places, size);
  for (int i = t; i < count; i += threads) {
    const int source = places[i];
    PNetPlace& place = args.from.places[source];
    args.boxes[before + i] = box_of(place, args.scales[level]);
    args.sources[before + i] = source;
    if (args.from.of_level[level] != 1) continue;
    for (int k = 0; k < 4; ++k) place.regression[k] = args.from.opposites[4 * level + k];
  }
  if (t == 0) {
    args.starts[level] = before;
    if (level + 1 == args.levels) args.starts[args.levels] = found;
    if (level == 0) *args.failed = 0;
  }
}

}  // namespace

void gather_hits(const GatherHitsArgs& args, const Launch& on) {
  const size_t shared = static_cast<size_t>(sorted_at_once(args.from.room)) * (sizeof(unsigned) + sizeof(int));
  launch("gather_hits", gather_hits_kernel, dim3{static_cast<unsigned>(args.levels)}, dim3{threads}, shared, on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
