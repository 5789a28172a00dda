// solve_pairs: many small duals at once, each by the steps of kernels/cpu/solve_pairs.cpp.
//
// A step is a chain: the largest of up to 64 gradients and its place, the largest gain and its place, two coefficients,
// new gradients.
// Step 1: a thread a problem, whose gradients do not fit registers and whose rows of the matrix nobody reads together.
// Step 2: a block of 64 threads a problem, a variable each: the chain's four reductions go through shared memory, with
// two barriers each.
// Step 3: a block is one warp with two variables a lane: nothing is shared and nothing waits. Floats are compared as
// whole numbers of the same order, whose maximum over a warp is one instruction, and a vote finds its first place, so
// of equal ones the lowest index is taken, always. A row of the matrix is 256 bytes at most and read at once. Other
// problems' warps fill the gaps.
#include <wajah/svm/solve_pairs.hpp>

#include "device.hpp"
#include "warp.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int lanes = 32, each = 2;

// What a lane holds of its variables, `lanes` apart; those from n on may neither rise nor fall.
struct Variables {
  float gradient[each];
  double beta[each], lower[each], upper[each];

  __device__ __forceinline__ bool may_rise(int k) const { return beta[k] < upper[k]; }
  __device__ __forceinline__ bool may_fall(int k) const { return beta[k] > lower[k]; }
  __device__ __forceinline__ float rising(int k) const { return may_rise(k) ? gradient[k] : -HUGE_VALF; }
  __device__ __forceinline__ float falling(int k) const { return may_fall(k) ? gradient[k] : HUGE_VALF; }
};

// In the order of the floats, which are numbers; adding 0 makes one zero of both.
__device__ __forceinline__ unsigned ordered(float x) {
  const unsigned bits = __float_as_uint(x + 0.0F);
  return (bits & 0x8000'0000U) != 0 ? ~bits : bits | 0x8000'0000U;
}
__device__ __forceinline__ float value_of(unsigned order) {
  return __uint_as_float((order & 0x8000'0000U) != 0 ? order & 0x7FFF'FFFFU : ~order);
}

// The largest of the values, two of each lane, and its lowest index.
struct Largest {
  float value;
  int index;
};
__device__ __forceinline__ Largest largest_of(float first, float second) {
  const unsigned a = ordered(first), b = ordered(second), most = __reduce_max_sync(whole_warp, max(a, b));
  const unsigned low = __ballot_sync(whole_warp, a == most), high = __ballot_sync(whole_warp, b == most);
  return {value_of(most), low != 0 ? __ffs(static_cast<int>(low)) - 1 : lanes + __ffs(static_cast<int>(high)) - 1};
}
__device__ __forceinline__ float least_of(float first, float second) {
  return value_of(__reduce_min_sync(whole_warp, min(ordered(first), ordered(second))));
}
__device__ __forceinline__ double most_of_warp(double value) {
#pragma unroll
  for (int bit = lanes / 2; bit > 0; bit /= 2) value = fmax(value, __shfl_xor_sync(whole_warp, value, bit));
  return value;
}

// For all lanes, what is held for variable `index`.
template <class T>
__device__ __forceinline__ T held_for(int index, const T (&values)[each]) {
  return __shfl_sync(whole_warp, index < lanes ? values[0] : values[1], index % lanes);
}

__device__ __forceinline__ int variable(int k) { return static_cast<int>(threadIdx.x) + k * lanes; }

__device__ __forceinline__ Variables begin(const PairJob& job, int padded) {
  Variables mine{};
#pragma unroll
  for (int k = 0; k < each; ++k) {
    const int t = variable(k);
    if (t >= job.n) continue;
    mine.beta[k] = job.beta[t];
    mine.lower[k] = job.lower[t];
    mine.upper[k] = job.upper[t];
    float g = t < job.first ? 1.0F : -1.0F;
    for (int s = 0; s < job.n; ++s) g = fmaf(static_cast<float>(-job.beta[s]), job.gram[s * padded + t], g);
    mine.gradient[k] = g;
  }
  return mine;
}

// The faller with which a step of the riser gains most.
__device__ __forceinline__ Largest faller_for(const Largest& riser, const PairJob& job, int padded,
                                              const Variables& mine) {
  float gain[each];
#pragma unroll
  for (int k = 0; k < each; ++k) {
    const int t = variable(k);
    const float difference = fmaxf(riser.value - mine.falling(k), 0.0F);
    gain[k] = t < job.n ? difference * difference * job.inverse[riser.index * padded + t] : 0.0F;
  }
  return largest_of(gain[0], gain[1]);
}

// From beta_j to beta_i as much as is wanted and bounds allow, and the new gradients.
__device__ __forceinline__ void step(const Largest& riser, int j, const PairJob& job, int padded, Variables& mine) {
  const int i = riser.index;
  const double room_i = held_for(i, mine.upper) - held_for(i, mine.beta);
  const double room_j = held_for(j, mine.beta) - held_for(j, mine.lower);
  double length = static_cast<double>((riser.value - held_for(j, mine.gradient)) * job.inverse[i * padded + j]);
  length = length < room_i ? length : room_i;
  length = length < room_j ? length : room_j;
  const float by = -static_cast<float>(length);
#pragma unroll
  for (int k = 0; k < each; ++k) {
    const int t = variable(k);
    if (t >= job.n) continue;
    // A bound that is reached is reached exactly: sums would miss it by a rounding and leave the variable free.
    if (t == i) mine.beta[k] = length == room_i ? mine.upper[k] : mine.beta[k] + length;
    if (t == j) mine.beta[k] = length == room_j ? mine.lower[k] : mine.beta[k] - length;
    mine.gradient[k] = fmaf(by, job.gram[i * padded + t] - job.gram[j * padded + t], mine.gradient[k]);
  }
}

// sign - K beta of a lane's variables, in double; 0 for those from n on.
__device__ __forceinline__ void exact_gradient(const PairJob& job, int padded, const Variables& mine,
                                               double (&g)[each]) {
#pragma unroll
  for (int k = 0; k < each; ++k) g[k] = variable(k) < job.first ? 1 : variable(k) < job.n ? -1 : 0;
  for (int s = 0; s < job.n; ++s) {
    const double beta = held_for(s, mine.beta);
#pragma unroll
    for (int k = 0; k < each; ++k) {
      if (variable(k) < job.n) g[k] = __dadd_rn(g[k], -__dmul_rn(beta, job.gram[s * padded + variable(k)]));
    }
  }
}

// What holds of the solution, by gradients g.
__device__ __forceinline__ void judge(PairJob& job, const Variables& mine, const double (&g)[each], double tolerance) {
  double highest = -HUGE_VAL, highest_fallen = -HUGE_VAL, sum = 0;
  int free = 0;
#pragma unroll
  for (int k = 0; k < each; ++k) {
    if (mine.may_rise(k)) highest = fmax(highest, g[k]);
    if (mine.may_fall(k)) highest_fallen = fmax(highest_fallen, -g[k]);
    const bool off_both = mine.may_rise(k) && mine.may_fall(k);
    if (off_both) sum += g[k];
    free += __popc(__ballot_sync(whole_warp, off_both));
  }
  const double rise = most_of_warp(highest), fall = -most_of_warp(highest_fallen), total = sum_of_warp(sum);
  if (threadIdx.x != 0) return;
  // On the margin -gradient is rho; with no variable there, the middle of what the conditions allow.
  job.rho = free != 0 ? -total / free : -(rise + fall) / 2;
  job.met = rise - fall < tolerance;
}

__global__ void __launch_bounds__(lanes) solve_pairs_kernel(SolvePairsArgs args, float tolerance) {
  wait_for_earlier();
  PairJob& job = args.jobs[blockIdx.x];
  const PairJob given = job;
  Variables mine = begin(given, args.padded);
  int steps = 0;
  for (; steps < args.limit; ++steps) {
    const Largest riser = largest_of(mine.rising(0), mine.rising(1));
    if (!(riser.value - least_of(mine.falling(0), mine.falling(1)) >= tolerance)) break;
    const Largest faller = faller_for(riser, given, args.padded, mine);
    if (!(faller.value > 0)) break;  // for numbers that floats cannot hold
    step(riser, faller.index, given, args.padded, mine);
  }
  double g[each] = {mine.gradient[0], mine.gradient[1]};
  if (args.exact) exact_gradient(given, args.padded, mine, g);
#pragma unroll
  for (int k = 0; k < each; ++k) {
    if (variable(k) < given.n) given.beta[variable(k)] = mine.beta[k];
    if (variable(k) < args.padded) given.gradient[variable(k)] = g[k];
  }
  judge(job, mine, g, args.tolerance);
  if (threadIdx.x == 0) job.steps = steps;
}

}  // namespace

void solve_pairs(const SolvePairsArgs& args, const Launch& on) {
  // A little less than is asked for, because the gradient judged at the end differs by float's roundings; and not less
  // than floats can show.
  constexpr double finest = 5e-5;
  const double tolerance = args.tolerance * 0.998;
  launch("solve_pairs", solve_pairs_kernel, dim3{static_cast<unsigned>(args.count)}, dim3{lanes}, 0, on, args,
         static_cast<float>(tolerance > finest ? tolerance : finest));
}

}  // namespace wajah::WAJAH_KERNEL_ISA
