// top_k: the k largest scores of a search, largest first, of equal ones the smaller index.
// Step 1: a block scans all scores k times for the largest below the last: k passes over memory by one multiprocessor.
// Step 2: a block a chunk of scores, which its threads hold in registers over all k rounds, so memory is read once;
// then one block does the same with the chunks' results.
#include <wajah/cuda_kernels.hpp>

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 256, each = top_k_chunk / threads;

struct Candidate {
  float score;
  int index;  // -1: none
};

__device__ __forceinline__ bool better(const Candidate& a, const Candidate& b) {
  if (a.index < 0 || b.index < 0) return a.index >= 0;
  return a.score > b.score || (a.score == b.score && a.index < b.index);
}

__device__ __forceinline__ Candidate best_of_warp(Candidate mine) {
#pragma unroll
  for (int bit = 16; bit > 0; bit /= 2) {
    const Candidate other{__shfl_xor_sync(whole_warp, mine.score, bit), __shfl_xor_sync(whole_warp, mine.index, bit)};
    if (better(other, mine)) mine = other;
  }
  return mine;
}

// The best of all threads' candidates, for all threads.
__device__ __forceinline__ Candidate best_of_block(Candidate mine, Shared<float> scores, Shared<int> indices) {
  mine = best_of_warp(mine);
  const int warp = static_cast<int>(threadIdx.x) / 32;
  __syncthreads();  // all have read the round before
  if (threadIdx.x % 32 == 0) {
    scores[warp] = mine.score;
    indices[warp] = mine.index;
  }
  __syncthreads();
  Candidate best{scores[0], indices[0]};
  for (int w = 1; w < threads / 32; ++w) {
    const Candidate other{scores[w], indices[w]};
    if (better(other, best)) best = other;
  }
  return best;
}

// Block b: the k best of its chunk, behind the first k entries of best and where.
__global__ void __launch_bounds__(threads) top_k_of_chunks(TopKArgs args) {
  wait_for_earlier();
  WAJAH_SHARED(float, scores, threads / 32);
  WAJAH_SHARED(int, indices, threads / 32);
  Candidate mine[each];
#pragma unroll
  for (int i = 0; i < each; ++i) {
    const int at = static_cast<int>(blockIdx.x) * top_k_chunk + i * threads + static_cast<int>(threadIdx.x);
    mine[i] = at < args.count ? Candidate{args.scores[at], at} : Candidate{0, -1};
  }
  for (int round = 0; round < args.k; ++round) {
    Candidate best{0, -1};
#pragma unroll
    for (int i = 0; i < each; ++i) {
      if (better(mine[i], best)) best = mine[i];
    }
    best = best_of_block(best, scores, indices);
#pragma unroll
    for (int i = 0; i < each; ++i) {
      if (mine[i].index == best.index) mine[i].index = -1;
    }
    if (threadIdx.x == 0) {
      args.best[args.k + static_cast<int>(blockIdx.x) * args.k + round] = best.score;
      args.where[args.k + static_cast<int>(blockIdx.x) * args.k + round] = best.index;
    }
  }
}

// One block: the k best of what the chunks found.
__global__ void __launch_bounds__(threads) top_k_of_results(TopKArgs args, int results) {
  wait_for_earlier();
  WAJAH_SHARED(float, scores, threads / 32);
  WAJAH_SHARED(int, indices, threads / 32);
  Candidate last{0, -1};
  for (int round = 0; round < args.k; ++round) {
    Candidate best{0, -1};
    for (int i = static_cast<int>(threadIdx.x); i < results; i += threads) {
      const Candidate other{args.best[args.k + i], args.where[args.k + i]};
      const bool taken = round > 0 && !better(last, other);
      if (!taken && better(other, best)) best = other;
    }
    last = best_of_block(best, scores, indices);
    if (threadIdx.x == 0) {
      args.best[round] = last.score;
      args.where[round] = last.index;
    }
    if (last.index < 0) {  // the same for all threads: nothing is left
      for (int i = round + 1 + static_cast<int>(threadIdx.x); i < args.k; i += threads) args.where[i] = -1;
      return;
    }
  }
}

}  // namespace

void top_k(const TopKArgs& args, const Launch& on) {
  const unsigned chunks = blocks_of(args.count, top_k_chunk);
  launch("top_k", top_k_of_chunks, dim3{chunks}, dim3{threads}, 0, on, args);
  launch("top_k", top_k_of_results, dim3{1}, dim3{threads}, 0, on, args, static_cast<int>(chunks) * args.k);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
