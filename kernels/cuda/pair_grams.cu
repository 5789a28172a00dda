// pair_grams: from the Gram matrix of all rows to the problems of pairs of classes.
// Step 1: the CPU cuts matrices out and brings them up: 32 kB a pair, of which there are half a million for a thousand
// people.
// Step 2: a block a pair, which reads its rows' pieces of the large matrix, where a class's numbers are neighbours. The
// diagonal that curvatures need twice is read once, to shared memory.
#include <wajah/svm/pair_grams.hpp>

#include "device.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 256, most = 64;
constexpr float least_curvature = 1e-12F;  // for pairs of equal points, as on the CPU

__device__ __forceinline__ int row_of(const PairOfClasses& pair, int t) {
  return t < pair.first_count ? pair.first + t : pair.second + t - pair.first_count;
}

__device__ __forceinline__ float kernel_value(const PairGramsArgs& args, const PairOfClasses& pair, int s, int t) {
  const float product = args.products[row_of(pair, s) * args.stride + row_of(pair, t)];
  return args.gamma > 0 ? static_cast<float>(exp(-args.gamma * static_cast<double>(product))) : product;
}

__global__ void __launch_bounds__(threads) pair_grams_kernel(PairGramsArgs args) {
  wait_for_earlier();
  WAJAH_SHARED(float, diagonal, most);
  const PairOfClasses pair = args.pairs[blockIdx.x];
  const int n = pair.first_count + pair.second_count, padded = args.padded, thread = static_cast<int>(threadIdx.x);
  const size_t job = blockIdx.x, square = static_cast<size_t>(padded) * static_cast<size_t>(padded);
  float* const gram = args.grams + job * square;
  float* const inverse = args.inverses + job * square;
  const size_t first = job * static_cast<size_t>(padded);
  if (thread < padded) {
    diagonal[thread] = thread < n ? kernel_value(args, pair, thread, thread) : 0.0F;
    args.upper[first + threadIdx.x] = thread < pair.first_count ? args.c : 0.0;
    args.lower[first + threadIdx.x] = thread >= pair.first_count && thread < n ? -args.c : 0.0;
    args.beta[first + threadIdx.x] = 0;
  }
  __syncthreads();
  for (int i = thread; i < padded * padded; i += threads) {
    const int s = i / padded, t = i % padded;
    const float value = s < n && t < n ? kernel_value(args, pair, s, t) : 0.0F;
    gram[i] = value;
    inverse[i] = 1.0F / fmaxf(diagonal[s] + diagonal[t] - 2.0F * value, least_curvature);
  }
  if (thread == 0) {
    args.jobs[job] = PairJob{gram,
                             inverse,
                             n,
                             pair.first_count,
                             args.lower + first,
                             args.upper + first,
                             args.beta + first,
                             args.gradient + first,
                             0,
                             0,
                             false};
  }
}

}  // namespace

void pair_grams(const PairGramsArgs& args, const Launch& on) {
  launch("pair_grams", pair_grams_kernel, dim3{static_cast<unsigned>(args.count)}, dim3{threads}, 0, on, args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
