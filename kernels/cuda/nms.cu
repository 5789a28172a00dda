// nms: of boxes that cover each other, the best. Which box goes depends on which better ones stay, one after the other,
// but how far two boxes overlap does not.
// Step 1: one block takes the boxes in order and compares each with all that are kept: as many barriers as boxes, and
// one multiprocessor.
// Step 2: a sort, then all pairs at once (a thread a pair), whose answers are bytes for a sweep: n^2 of them.
// Step 3: a thread compares one box with 64 later ones and writes the answers as one word; most pairs have nothing in
// common and are never divided. One block sweeps: 64 boxes are settled in registers by the words among themselves, then
// every thread, which owns a word of those that are covered, adds what the survivors cover.
// Step 4: a box's place was the number of better ones, and where two scores were equal the CPU was asked. Now a block
// sorts by numpy's steps (numpy_order.hpp), so equal scores stand where they stand on the CPU, and nothing comes down.
// Several problems, the levels of a pyramid, share a launch; how many boxes they have only the card knows, so
// comparisons are shared out among as many blocks as keep it busy.
// Products are rounded before they are added and the order is that of src/detect/overlap.hpp, so overlaps are the CPU's
// to the bit.
#include <wajah/detect/card_boxes.hpp>

#include "device.hpp"
#include "numpy_order.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int order_threads = 256, group = 64, sweep_threads = 256;
static_assert(most_nms_boxes <= group * sweep_threads, "a thread of the sweep owns one word");
using Order = NumpyOrder<order_threads>;
static_assert(most_nms_boxes <= Order::most);

struct Placed {
  double x1, y1, x2, y2, area;
};

__device__ __forceinline__ Placed placed(const ScoredCardBox& box) {
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

// The part of the lists that is one problem's.
struct Problem {
  int first, count;
};
__device__ __forceinline__ Problem problem_of(const NmsArgs& args, unsigned p) {
  return {args.starts[p], args.starts[p + 1] - args.starts[p]};
}

// A block a problem: which box is the i-th best.
__global__ void __launch_bounds__(order_threads) order_boxes(NmsArgs args) {
  wait_for_earlier();
  WAJAH_SHARED(int, nets, Order::warps* Order::network);
  WAJAH_SHARED(OrderPart, parts, Order::most_parts / 2);
  WAJAH_SHARED(OrderPart, halves, Order::most_parts);
  WAJAH_DYNAMIC_SHARED(float, scores, 2 * args.room);
  const auto order = shared_cast<int>(scores + args.room);
  const Problem problem = problem_of(args, blockIdx.x);
  const int t = static_cast<int>(threadIdx.x);
  for (int i = t; i < problem.count; i += order_threads) scores[i] = args.boxes[problem.first + i].score;
  __syncthreads();
  const bool sorted = Order(scores, order, nets, parts, halves).sort(problem.count);
  for (int i = t; i < problem.count; i += order_threads) {
    args.order[problem.first + i] = order[problem.count - 1 - i];
  }
  if (t != 0) return;
  args.counts[blockIdx.x] = sorted ? problem.count : 0;
  if (!sorted) *args.failed = 1;
}

// Word w of the row of the i-th best: which of the boxes 64 w to 64 w + 63, in order, come later and are covered by it.
// Words that lie before i are not written.
__global__ void __launch_bounds__(group) compare_boxes(NmsArgs args) {
  wait_for_earlier();
  WAJAH_SHARED(Placed, later, group);
  const Problem problem = problem_of(args, blockIdx.y);
  const int t = static_cast<int>(threadIdx.x), words = nms_words(problem.count);
  for (int tile = static_cast<int>(blockIdx.x); tile < words * words; tile += static_cast<int>(gridDim.x)) {
    const int first = tile % words * group, i = tile / words * group + t;
    if (first + group <= i - t) continue;  // the same for all threads
    const int* const order = args.order + problem.first;
    __syncthreads();  // all have read the tile before
    if (first + t < problem.count) later[t] = placed(args.boxes[problem.first + order[first + t]]);
    __syncthreads();
    if (i >= problem.count) continue;
    const Placed mine = placed(args.boxes[problem.first + order[i]]);
    uint64_t covered = 0;
    for (int k = max(0, i + 1 - first); k < min(group, problem.count - first); ++k) {
      const Placed other = later[k];
      if (covers(mine, other, args)) covered |= uint64_t{1} << k;
    }
    args.covers[static_cast<size_t>(problem.first + i) * static_cast<size_t>(nms_words(args.room)) +
                static_cast<size_t>(tile % words)] = covered;
  }
}

__device__ __forceinline__ int bits_of(uint64_t word) { return __popcll(word); }

// A block a problem.
__global__ void __launch_bounds__(sweep_threads) sweep_boxes(NmsArgs args) {
  wait_for_earlier();
  WAJAH_SHARED(uint64_t, among, group);  // what the boxes of a group cover of each other
  WAJAH_SHARED(uint64_t, gone, 1);
  const Problem problem = problem_of(args, blockIdx.x);
  const int count = args.counts[blockIdx.x], words = nms_words(count), t = static_cast<int>(threadIdx.x);
  const size_t pitch = static_cast<size_t>(nms_words(args.room));
  uint64_t covered = 0;  // word t
  int kept = 0;
  for (int g = 0; g < words; ++g) {
    const int first = g * group, size = min(group, count - first);
    const uint64_t* const rows = args.covers + static_cast<size_t>(problem.first + first) * pitch;
    if (t < size) among[t] = rows[static_cast<size_t>(t) * pitch + static_cast<size_t>(g)];
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
        if ((stay >> k & 1) != 0) covered |= rows[static_cast<size_t>(k) * pitch + threadIdx.x];
      }
    }
    if (t < size && (stay >> t & 1) != 0) {
      args.kept[problem.first + kept + bits_of(stay & ((uint64_t{1} << t) - 1))] =
          args.order[problem.first + first + t];
    }
    kept += bits_of(stay);
    __syncthreads();
  }
  if (t == 0) args.counts[blockIdx.x] = kept;  // read by all before the first barrier, if there was one
}

}  // namespace

void nms(const NmsArgs& args, const Launch& on) {
  const unsigned problems = static_cast<unsigned>(args.problems);
  const unsigned words = static_cast<unsigned>(nms_words(args.room));
  launch("nms_order", order_boxes, dim3{problems}, dim3{order_threads},
         2 * static_cast<size_t>(args.room) * sizeof(float), on, args);
  launch("nms_compare", compare_boxes, dim3{min(words * words, 2 * static_cast<unsigned>(on.processors)), problems},
         dim3{group}, 0, on, args);
  launch("nms_sweep", sweep_boxes, dim3{problems}, dim3{sweep_threads}, 0, on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
