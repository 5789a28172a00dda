// nms: of boxes that cover each other, the best. Which box goes depends on which better ones stay, one after the other,
// but how far two boxes overlap does not.
// Step 1: one block takes the boxes in order and compares each with all that are kept: as many barriers as boxes, and
// one multiprocessor.
// Step 2: a sort, then all pairs at once (a thread a pair), whose answers are bytes for a sweep: n^2 of them.
// Step 3: no sort: a box's place is the number of better ones, counted 128 scores at a time from shared memory. A
// thread compares one box with 64 later ones and writes the answers as one word; most pairs have nothing in common and
// are never divided. One block sweeps: 64 boxes are settled in registers by the words among themselves, then every
// thread, which owns a word of those that are covered, adds what the survivors cover. Products are rounded before they
// are added and the order is that of src/detect/overlap.hpp, so overlaps are the CPU's to the bit.
#include <wajah/cuda_kernels.hpp>

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int rank_threads = 128, group = 64, sweep_threads = 256;
static_assert(most_nms_boxes == group * sweep_threads, "a thread of the sweep owns one word");

struct Placed {
  double x1, y1, x2, y2, area;
};

__device__ __forceinline__ Placed placed(const NmsBox& box) {
  return {box.x1, box.y1, box.x2, box.y2, __dmul_rn(box.x2 - box.x1 + 1, box.y2 - box.y1 + 1)};
}

// Whether the overlap exceeds the threshold, which is not below 0: so nothing in common is never enough.
__device__ __forceinline__ bool covers(const Placed& a, const Placed& b, const NmsArgs& args) {
  const double width = fmax(0.0, fmin(a.x2, b.x2) - fmax(a.x1, b.x1) + 1);
  const double height = fmax(0.0, fmin(a.y2, b.y2) - fmax(a.y1, b.y1) + 1);
  const double common = __dmul_rn(width, height);
  if (common == 0) return false;
  return common / (args.of_smaller ? fmin(a.area, b.area) : a.area + b.area - common) > args.threshold;
}

__global__ void __launch_bounds__(32) begin_nms(NmsArgs args) {
  wait_for_earlier();
  if (threadIdx.x == 0) *args.kept = 0;
}

// order[i]: the box with i better ones. Not-a-number is neither more nor less than anything, as equal scores are.
__global__ void __launch_bounds__(rank_threads) rank_boxes(NmsArgs args) {
  wait_for_earlier();
  WAJAH_SHARED(float, scores, rank_threads);
  const int t = static_cast<int>(threadIdx.x), i = static_cast<int>(blockIdx.x) * rank_threads + t;
  const float mine = i < args.count ? args.boxes[i].score : 0.0F;
  int better = 0;
  bool told_apart = true;
  for (int first = 0; first < args.count; first += rank_threads) {
    if (first + t < args.count) scores[t] = args.boxes[first + t].score;
    __syncthreads();
    for (int k = 0; k < min(rank_threads, args.count - first); ++k) {
      const float other = scores[k];
      if (other > mine) ++better;
      told_apart = told_apart && (other > mine || other < mine || first + k == i);
    }
    __syncthreads();
  }
  if (i >= args.count) return;
  args.order[better] = i;
  if (!told_apart) atomicMin(args.kept, -1);
}

// Word w of the row of the i-th best: which of the boxes 64 w to 64 w + 63, in order, come later and are covered by it.
// Words that lie before i are not written.
__global__ void __launch_bounds__(group) compare_boxes(NmsArgs args) {
  wait_for_earlier();
  if (blockIdx.x < blockIdx.y || *args.kept < 0) return;  // the same for all threads
  WAJAH_SHARED(Placed, later, group);
  const int t = static_cast<int>(threadIdx.x), first = static_cast<int>(blockIdx.x) * group;
  const int i = static_cast<int>(blockIdx.y) * group + t;
  if (first + t < args.count) later[t] = placed(args.boxes[args.order[first + t]]);
  __syncthreads();
  if (i >= args.count) return;
  const Placed mine = placed(args.boxes[args.order[i]]);
  uint64_t covered = 0;
  for (int k = max(0, i + 1 - first); k < min(group, args.count - first); ++k) {
    const Placed other = later[k];
    if (covers(mine, other, args)) covered |= uint64_t{1} << k;
  }
  args.covers[static_cast<size_t>(i) * static_cast<size_t>(nms_words(args.count)) + blockIdx.x] = covered;
}

__device__ __forceinline__ int bits_of(uint64_t word) { return __popcll(word); }

// One block.
__global__ void __launch_bounds__(sweep_threads) sweep_boxes(NmsArgs args) {
  wait_for_earlier();
  if (*args.kept < 0) return;
  WAJAH_SHARED(uint64_t, among, group);  // what the boxes of a group cover of each other
  WAJAH_SHARED(uint64_t, gone, 1);
  const int t = static_cast<int>(threadIdx.x), words = nms_words(args.count);
  uint64_t covered = 0;  // word t
  int kept = 0;
  for (int g = 0; g < words; ++g) {
    const int first = g * group, size = min(group, args.count - first);
    const uint64_t* const rows = args.covers + static_cast<size_t>(first) * static_cast<size_t>(words);
    if (t < size) among[t] = rows[static_cast<size_t>(t) * static_cast<size_t>(words) + static_cast<size_t>(g)];
    if (t == g) gone[0] = covered;
    __syncthreads();
    uint64_t stay = ~gone[0];
    for (int k = 0; k < size; ++k) {
      const uint64_t its = among[k];
      if ((stay >> k & 1) != 0) stay &= ~its;
    }
    if (size < group) stay &= (uint64_t{1} << size) - 1;
    if (t > g && t < words) {
      for (int k = 0; k < size; ++k) {
        if ((stay >> k & 1) != 0) covered |= rows[static_cast<size_t>(k) * static_cast<size_t>(words) + threadIdx.x];
      }
    }
    if (t < size && (stay >> t & 1) != 0) {
      args.kept[1 + kept + bits_of(stay & ((uint64_t{1} << t) - 1))] = args.order[first + t];
    }
    kept += bits_of(stay);
    __syncthreads();
  }
  if (t == 0) *args.kept = kept;
}

}  // namespace

void nms(const NmsArgs& args, const Launch& on) {
  const unsigned words = static_cast<unsigned>(nms_words(args.count));
  launch("nms", begin_nms, dim3{1}, dim3{32}, 0, on, args);
  launch("nms", rank_boxes, dim3{blocks_of(args.count, rank_threads)}, dim3{rank_threads}, 0, on, args);
  launch("nms", compare_boxes, dim3{words, words}, dim3{group}, 0, on, args);
  launch("nms", sweep_boxes, dim3{1}, dim3{sweep_threads}, 0, on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
