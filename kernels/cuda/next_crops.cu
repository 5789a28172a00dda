// next_crops: from what was kept of one stage to what the next network judges. One block: boxes without pixels are left
// out, and those behind them move up, so each has to know how many stand before it; there are some hundred.
#include "boxes.hpp"
#include "line_up.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 256;

__device__ __forceinline__ bool stands_before(const ScoredCardBox& a, const ScoredCardBox& b) {
  if (a.x1 != b.x1) return a.x1 < b.x1;
  if (a.y1 != b.y1) return a.y1 < b.y1;
  if (a.x2 != b.x2) return a.x2 < b.x2;
  return a.y2 < b.y2;
}

// Where the i-th best stands if equal scores go from left to right. Equal ones are neighbours; of equal boxes the
// order says nothing.
__device__ __forceinline__ int place_of(const NextCropsArgs& args, int count, int i) {
  const ScoredCardBox mine = args.boxes[args.kept[i]];
  int place = i;
  for (int k = i - 1; k >= 0; --k) {
    const ScoredCardBox other = args.boxes[args.kept[k]];
    if (other.score != mine.score) break;
    if (stands_before(mine, other)) --place;
  }
  for (int k = i + 1; k < count; ++k) {
    const ScoredCardBox other = args.boxes[args.kept[k]];
    if (other.score != mine.score) break;
    if (stands_before(other, mine)) ++place;
  }
  return place;
}

__global__ void __launch_bounds__(threads) next_crops_kernel(NextCropsArgs args) {
  wait_for_earlier();
  WAJAH_SHARED(int, sums, LineUp<threads>::words);
  const int t = static_cast<int>(threadIdx.x), count = *args.count;
  for (int i = t; i < count; i += threads) {
    args.order[args.by_place ? place_of(args, count, i) : i] = args.kept[i];
  }
  __syncthreads();
  LineUp<threads> line_up(sums);
  int length = 0;
  for (int first = 0; first < count; first += threads) {
    ScoredCardBox crop{};
    bool usable = false;
    if (first + t < count) {
      const int from = args.order[first + t];
      crop = whole_square(regress(
          args.boxes[from], args.regressions + static_cast<ptrdiff_t>(args.pitch) * args.sources[from], args.extra));
      usable = has_pixels(crop);
    }
    const int at = line_up.place(usable, length);
    if (!usable) continue;
    args.next.boxes[at] = crop;
    args.next.windows[at] = window_of(crop);
  }
  if (t == 0) {
    *args.next.count = length;
    *args.next.judged = 0;
  }
}

}  // namespace

void next_crops(const NextCropsArgs& args, const Launch& on) {
  launch("next_crops", next_crops_kernel, dim3{1}, dim3{threads}, 0, on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
