// The dual of one small two-class problem by sequential minimal optimisation, as src/svm/solver.cpp tells it, for
// problems whose kernel matrix is at hand: a pair of people with some tens of photos.
//
// The plain solver spends its time in branches: who may rise, who may fall, is this gain the best. Step 1: who may rise
// and who may fall are bits, eight a byte, so both questions are one maximum and one minimum over whole vectors, and a
// step changes two bits. Step 2: the place of a maximum is found by comparing all of it and counting zeros, without a
// branch that nobody can predict. Step 3: the number of vectors is a template argument, so that up to 64 variables the
// loops are unrolled and gradients stay in registers. The order of operations on every variable is the plain solver's,
// and of equals the first is chosen as there, so both take the same steps and end with the same numbers, on every
// instruction set.
//
// A pair of 2 x 20 photos, 51 steps: plain 16 us, step 1 3.9 us, steps 2 and 3 2.2 us on AVX-512.
#include <wajah/svm/solve_pair.hpp>

#include <doubles.hpp>

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

constexpr double infinity = __builtin_inf();
constexpr double least_curvature = 1e-12;  // for pairs of equal points, as in the plain solver
constexpr int most_blocks = 32, unrolled_blocks = 8;
constexpr int blocks_in_word = 8;

// fixed_blocks 0: as many as args say.
template <int fixed_blocks>
struct Smo {
  const SolvePairArgs& a;
  int blocks;
  unsigned char may_rise[most_blocks], may_fall[most_blocks];
  alignas(64) double diagonal[most_blocks * double_lanes], gain[most_blocks * double_lanes];

  WAJAH_VEC explicit Smo(const SolvePairArgs& args)
      : a(args), blocks(fixed_blocks > 0 ? fixed_blocks : args.padded / double_lanes) {
    __builtin_memset(may_rise, 0, sizeof may_rise);
    __builtin_memset(may_fall, 0, sizeof may_fall);
    for (int t = 0; t < a.padded; ++t) diagonal[t] = t < a.n ? static_cast<double>(row(t)[t]) : 0;
    for (int t = a.n; t < a.padded; ++t) a.gradient[t] = 0;
    for (int t = 0; t < a.n; ++t) note(t);
  }

  WAJAH_VEC const float* row(int t) const { return a.gram + t * a.stride; }
  WAJAH_VEC Doubles gradient(int block) const { return Doubles::load(a.gradient + block * double_lanes); }

  // Whether t may move, as bits.
  WAJAH_VEC void note(int t) {
    const auto bit = static_cast<unsigned char>(1U << (t % double_lanes));
    unsigned char &rise = may_rise[t / double_lanes], &fall = may_fall[t / double_lanes];
    rise = static_cast<unsigned char>(a.beta[t] < a.upper[t] ? rise | bit : rise & ~bit);
    fall = static_cast<unsigned char>(a.beta[t] > a.lower[t] ? fall | bit : fall & ~bit);
  }

  template <class Visit>
  WAJAH_VEC void each_block(Visit visit) const {
    if constexpr (fixed_blocks > 0) {
#pragma GCC unroll 8
      for (int block = 0; block < fixed_blocks; ++block) visit(block);
    } else {
      for (int block = 0; block < blocks; ++block) visit(block);
    }
  }

  // The first place whose bit matches(block) sets, which one of them does.
  template <class Matches>
  WAJAH_VEC int find(Matches matches) const {
    for (int first = 0;; first += blocks_in_word) {
      unsigned long long word = 0;
#pragma GCC unroll 8
      for (int block = 0; block < (fixed_blocks > 0 ? fixed_blocks : blocks_in_word); ++block) {
        if (fixed_blocks > 0 || first + block < blocks) {
          word |= static_cast<unsigned long long>(matches(first + block)) << (block * double_lanes);
        }
      }
      if (fixed_blocks > 0 || word != 0 || first + blocks_in_word >= blocks) {
        return word == 0 ? 0 : first * double_lanes + __builtin_ctzll(word);
      }
    }
  }

  // The faller with which a step of i gains most.
  WAJAH_VEC int partner(int i, double rise) {
    const Doubles top = Doubles::all(rise), diagonal_i = Doubles::all(diagonal[i]), two = Doubles::all(2);
    Doubles most = Doubles::all(0);
    each_block([&](int block) __attribute__((always_inline)) {
      const Doubles difference = max(where(may_fall[block], top - gradient(block), Doubles::all(0)), Doubles::all(0));
      const Doubles curvature = diagonal_i + Doubles::load(diagonal + block * double_lanes) -
                                two * Doubles::load(row(i) + block * double_lanes);
      const Doubles value = difference * difference / max(curvature, Doubles::all(least_curvature));
      value.store(gain + block * double_lanes);
      most = max(most, value);
    });
    const Doubles wanted = Doubles::all(max_lane(most));
    return find([&](int block) __attribute__((always_inline)) {
      return equal(Doubles::load(gain + block * double_lanes), wanted);
    });
  }

  // False when the conditions hold to the tolerance.
  WAJAH_VEC bool step() {
    Doubles highest = Doubles::all(-infinity), lowest = Doubles::all(infinity);
    each_block([&](int block) __attribute__((always_inline)) {
      const Doubles g = gradient(block);
      highest = max(highest, where(may_rise[block], g, Doubles::all(-infinity)));
      lowest = min(lowest, where(may_fall[block], g, Doubles::all(infinity)));
    });
    const double rise = max_lane(highest), fall = min_lane(lowest);
    if (rise - fall < a.tolerance) return false;
    const Doubles wanted = Doubles::all(rise);
    const int i = find([&](int block)
                           __attribute__((always_inline)) { return equal(gradient(block), wanted) & may_rise[block]; });
    move(i, partner(i, rise));
    return true;
  }

  WAJAH_VEC void move(int i, int j) {
    const double curvature = diagonal[i] + diagonal[j] - 2.0 * static_cast<double>(row(i)[j]);
    const double room_i = a.upper[i] - a.beta[i], room_j = a.beta[j] - a.lower[j];
    const double wanted = (a.gradient[i] - a.gradient[j]) / (curvature > least_curvature ? curvature : least_curvature);
    double length = wanted < room_i ? wanted : room_i;
    length = length < room_j ? length : room_j;
    // A bound that is reached is reached exactly: sums would miss it by a rounding and leave the variable free.
    a.beta[i] = length == room_i ? a.upper[i] : a.beta[i] + length;
    a.beta[j] = length == room_j ? a.lower[j] : a.beta[j] - length;
    note(i);
    note(j);
    const Doubles by = Doubles::all(length);
    each_block([&](int block) __attribute__((always_inline)) {
      const int at = block * double_lanes;
      const Doubles difference = Doubles::load(row(i) + at) - Doubles::load(row(j) + at);
      (gradient(block) - by * difference).store(a.gradient + at);
    });
  }
};

template <int fixed_blocks>
WAJAH_VEC void solve(const SolvePairArgs& args) {
  Smo<fixed_blocks> smo(args);
  long long iteration = 0;
  while (iteration < args.limit && smo.step()) ++iteration;
  *args.iterations = iteration;
}

// solve<n>() for the n that args need.
template <int fixed_blocks = 1>
WAJAH_VEC void solve_fixed(const SolvePairArgs& args) {
  if constexpr (fixed_blocks > unrolled_blocks) {
    solve<0>(args);
  } else if (args.padded == fixed_blocks * double_lanes) {
    solve<fixed_blocks>(args);
  } else {
    solve_fixed<fixed_blocks + 1>(args);
  }
}

}  // namespace

void solve_pair(const SolvePairArgs& args, Part part) {
  if (part.index == 0) solve_fixed(args);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
