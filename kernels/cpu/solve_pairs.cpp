// Many small duals at once, each by sequential minimal optimisation as src/svm/solver.cpp tells it.
//
// A step of one problem is a chain of dependent operations (a maximum, its place, a second maximum, its place, the
// step, the new gradients) of about 200 cycles, of which a core could do five at a time. So several problems are in
// flight, and every link of the chain is made for all of them before the next link: pairs of people do not depend on
// each other, nor do the five machines behind a pair's sigmoid. (One step each in turn is not enough: the core does not
// look that far ahead.) Who may rise and who may fall stands in what is added to their gradients before they are
// compared, 0 or an infinity, so that no step needs a mask. Gradients are floats, 40 of them in three registers;
// coefficients are doubles, because their sum must stay 0, and at the end the gradient is computed anew in double, so
// what is reported is what holds. The gain of a step needs a division by the curvature: those of a pair are made once
// for all its machines, where start_pairs.cpp did not find their end already.
#include <wajah/svm/solve_pairs.hpp>

#include <doubles.hpp>
#include <lane_bits.hpp>

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

constexpr float infinity = __builtin_inff();
constexpr float least_curvature = 1e-12F;  // for pairs of equal points, as in the plain solver
constexpr int most = 64;
constexpr int in_flight = 6;

struct Flight {
  PairJob* job;
  int steps, i, j;
  float top, length;
  // of every variable; rising: 0, or -infinity for one that may not rise; falling: 0, or infinity
  alignas(64) float gradient[most], rising[most], falling[most];
};

template <int vectors>
struct Solver {
  static constexpr int padded = vectors * lanes;
  const SolvePairsArgs& args;
  float tolerance;

  WAJAH_VEC static bool may_rise(const PairJob& job, int t) { return job.beta[t] < job.upper[t]; }
  WAJAH_VEC static bool may_fall(const PairJob& job, int t) { return job.beta[t] > job.lower[t]; }

  template <class Visit>
  WAJAH_VEC static void each_vector(Visit visit) {
#pragma GCC unroll 16
    for (int at = 0; at < padded; at += lanes) visit(at);
  }

  // Whose beta is not at the bound. A branch a variable would be guessed wrong half the time.
  WAJAH_VEC static uint64_t off(const double* beta, const double* bound) {
    uint64_t bits = 0;
#pragma GCC unroll 8
    for (int at = 0; at < padded; at += double_lanes)
      bits |= static_cast<uint64_t>(~equal(Doubles::load(beta + at), Doubles::load(bound + at)) & 0xFFU) << at;
    return bits;
  }

  WAJAH_VEC void begin(Flight& f, PairJob& job) const {
    f.job = &job;
    f.steps = 0;
    const uint64_t rise = off(job.beta, job.upper), fall = off(job.beta, job.lower);
    const uint64_t positive = below(job.first), there = below(job.n);
    Vec g[vectors];
#pragma GCC unroll 16
    for (int v = 0; v < vectors; ++v) {
      const int at = v * lanes;
      where(rise >> at, Vec(0.0F), Vec(-infinity)).store(f.rising + at);
      where(fall >> at, Vec(0.0F), Vec(infinity)).store(f.falling + at);
      g[v] = where(positive >> at, Vec(1.0F), where(there >> at, Vec(-1.0F), Vec(0.0F)));
    }
    // Where only the exact gradient counts, that of floats need not be made.
    for (int s = 0; s < job.n && (args.limit > 0 || !args.exact); ++s) {
      const Vec by(static_cast<float>(-job.beta[s]));
#pragma GCC unroll 16
      for (int v = 0; v < vectors; ++v) g[v] = fma(by, Vec::load(job.gram + s * padded + v * lanes), g[v]);
    }
#pragma GCC unroll 16
    for (int v = 0; v < vectors; ++v) g[v].store(f.gradient + v * lanes);
  }
  WAJAH_VEC static uint64_t below(int count) { return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1; }

  // Whether the conditions are still violated, and the largest gradient of those that may rise.
  WAJAH_VEC bool look(Flight& f) const {
    Vec highest(-infinity), lowest(infinity);
    each_vector([&](int at) __attribute__((always_inline)) {
      const Vec g = Vec::load(f.gradient + at);
      highest = max(highest, g + Vec::load(f.rising + at));
      lowest = min(lowest, g + Vec::load(f.falling + at));
    });
    f.top = max_lane(highest);
    return f.top - min_lane(lowest) >= tolerance && f.steps < args.limit;
  }

  // The first place of a value; should there be none, which no finite numbers bring about, the first.
  template <class Values>
  WAJAH_VEC static int place(float value, Values values) {
    uint64_t bits = 0;
    each_vector([&](int at) __attribute__((always_inline)) { bits |= equal_lanes(values(at), Vec(value)) << at; });
    return bits != 0 ? __builtin_ctzll(bits) : 0;
  }

  WAJAH_VEC static void choose_riser(Flight& f) {
    f.i = place(
        f.top, [&](int at)
                   __attribute__((always_inline)) { return Vec::load(f.gradient + at) + Vec::load(f.rising + at); });
  }

  // The faller with which a step of the riser gains most.
  WAJAH_VEC static void choose_faller(Flight& f) {
    const float* inverse = f.job->inverse + f.i * padded;
    const Vec top(f.top);
    Vec gain[vectors], best(0.0F);
#pragma GCC unroll 16
    for (int v = 0; v < vectors; ++v) {
      const int at = v * lanes;
      const Vec difference = max(top - (Vec::load(f.gradient + at) + Vec::load(f.falling + at)), Vec(0.0F));
      gain[v] = difference * difference * Vec::load(inverse + at);
      best = max(best, gain[v]);
    }
    uint64_t bits = 0;
    const Vec most_of_all(max_lane(best));
#pragma GCC unroll 16
    for (int v = 0; v < vectors; ++v) bits |= equal_lanes(gain[v], most_of_all) << (v * lanes);
    f.j = bits != 0 ? __builtin_ctzll(bits) : 0;
  }

  // From beta_j to beta_i as much as is wanted and bounds allow.
  WAJAH_VEC static void move(Flight& f) {
    const PairJob& job = *f.job;
    const int i = f.i, j = f.j;
    const double room_i = job.upper[i] - job.beta[i], room_j = job.beta[j] - job.lower[j];
    double length = static_cast<double>((f.top - f.gradient[j]) * job.inverse[i * padded + j]);
    length = length < room_i ? length : room_i;
    length = length < room_j ? length : room_j;
    // A bound that is reached is reached exactly: sums would miss it by a rounding and leave the variable free.
    job.beta[i] = length == room_i ? job.upper[i] : job.beta[i] + length;
    job.beta[j] = length == room_j ? job.lower[j] : job.beta[j] - length;
    f.rising[i] = may_rise(job, i) ? 0 : -infinity;
    f.falling[i] = 0;
    f.falling[j] = may_fall(job, j) ? 0 : infinity;
    f.rising[j] = 0;
    f.length = static_cast<float>(length);
  }

  WAJAH_VEC static void update(Flight& f) {
    const float *row_i = f.job->gram + f.i * padded, *row_j = f.job->gram + f.j * padded;
    const Vec by(-f.length);
    each_vector([&](int at) __attribute__((always_inline)) {
      const Vec difference = Vec::load(row_i + at) - Vec::load(row_j + at);
      fma(by, difference, Vec::load(f.gradient + at)).store(f.gradient + at);
    });
    ++f.steps;
  }

  template <int blocks>
  WAJAH_VEC static void exact_gradient(const PairJob& job, Doubles (&g)[blocks]) {
    for (int t = 0; t < padded; ++t) job.gradient[t] = t < job.first ? 1 : t < job.n ? -1 : 0;
#pragma GCC unroll 8
    for (int b = 0; b < blocks; ++b) g[b] = Doubles::load(job.gradient + b * double_lanes);
    for (int s = 0; s < job.n; ++s) {
      const Doubles by = Doubles::all(job.beta[s]);
#pragma GCC unroll 8
      for (int b = 0; b < blocks; ++b) g[b] = g[b] - by * Doubles::load(job.gram + s * padded + b * double_lanes);
    }
  }

  WAJAH_VEC void finish(Flight& f) const {
    PairJob& job = *f.job;
    constexpr int blocks = padded / double_lanes;
    Doubles g[blocks];
    if (args.exact) {
      exact_gradient(job, g);
    } else {
#pragma GCC unroll 8
      for (int b = 0; b < blocks; ++b) g[b] = Doubles::load(f.gradient + b * double_lanes);
    }
    const uint64_t rising = off(job.beta, job.upper), falling = off(job.beta, job.lower);
    const uint64_t free = rising & falling;
    Doubles highest = Doubles::all(-__builtin_inf()), lowest = Doubles::all(__builtin_inf()), sum = Doubles::all(0);
#pragma GCC unroll 8
    for (int b = 0; b < blocks; ++b) {
      g[b].store(job.gradient + b * double_lanes);
      const auto bits = [&](uint64_t all) __attribute__((always_inline)) {
        return static_cast<unsigned>(all >> (b * double_lanes) & 0xFF);
      };
      highest = max(highest, where(bits(rising), g[b], Doubles::all(-__builtin_inf())));
      lowest = min(lowest, where(bits(falling), g[b], Doubles::all(__builtin_inf())));
      sum = sum + where(bits(free), g[b], Doubles::all(0));
    }
    const double rise = max_lane(highest), fall = min_lane(lowest);
    double lane[double_lanes], total = 0;
    sum.store(lane);
    for (const double x : lane) total += x;
    // On the margin -gradient is rho; with no variable there, the middle of what the conditions allow.
    job.rho = free != 0 ? -total / static_cast<double>(__builtin_popcountll(free)) : -(rise + fall) / 2;
    job.steps = f.steps;
    job.met = rise - fall < args.tolerance;
  }

  WAJAH_VEC void run() const {
    Flight flights[in_flight];
    int next = 0, live = 0;
    while (live < in_flight && next < args.count) begin(flights[live++], args.jobs[next++]);
    while (live > 0) {
      bool open[in_flight];
      for (int f = 0; f < live; ++f) open[f] = look(flights[f]);
      for (int f = 0; f < live; ++f) {
        while (!open[f]) {
          finish(flights[f]);
          if (next < args.count) {
            begin(flights[f], args.jobs[next++]);
            open[f] = look(flights[f]);
          } else if (f < --live) {
            flights[f] = flights[live];
            open[f] = open[live];
          } else {
            break;
          }
        }
      }
      for (int f = 0; f < live; ++f) choose_riser(flights[f]);
      for (int f = 0; f < live; ++f) choose_faller(flights[f]);
      for (int f = 0; f < live; ++f) move(flights[f]);
      for (int f = 0; f < live; ++f) update(flights[f]);
    }
  }
};

template <int vectors>
WAJAH_VEC void solve(const SolvePairsArgs& args) {
  // A little less than is asked for, because the gradient judged at the end differs by float's roundings; and not less
  // than floats can show.
  constexpr double finest = 5e-5;
  const double tolerance = args.tolerance * 0.998;
  Solver<vectors>{args, static_cast<float>(tolerance > finest ? tolerance : finest)}.run();
}

}  // namespace

void solve_pairs(const SolvePairsArgs& args, Part part) {
  if (part.index != 0) return;
  switch (args.padded) {
    case 16: return solve<16 / lanes>(args);
    case 32: return solve<32 / lanes>(args);
    case 48: return solve<48 / lanes>(args);
    default: return solve<64 / lanes>(args);
  }
}

namespace {

WAJAH_VEC void copy_row(const float* from, float* to, int count) {
  for (int at = 0; at < count; at += lanes) {
    const Lanes some(count - at);
    Vec::load(from + at, some).store(to + at, some);
  }
}

// The mirror image of `rows` rows of `columns` values.
WAJAH_VEC void mirror(const float* from, float* to, int rows, int columns, int padded) {
  int t = 0;
#ifdef __AVX2__
  for (; t + 4 <= rows; t += 4) {
    int s = 0;
    for (; s + 4 <= columns; s += 4) {
      const float* at = from + t * padded + s;
      __m128 a = _mm_loadu_ps(at), b = _mm_loadu_ps(at + padded);
      __m128 c = _mm_loadu_ps(at + 2 * padded), d = _mm_loadu_ps(at + 3 * padded);
      _MM_TRANSPOSE4_PS(a, b, c, d);
      float* here = to + s * padded + t;
      _mm_storeu_ps(here, a);
      _mm_storeu_ps(here + padded, b);
      _mm_storeu_ps(here + 2 * padded, c);
      _mm_storeu_ps(here + 3 * padded, d);
    }
    for (; s < columns; ++s)
      for (int r = t; r < t + 4; ++r) to[s * padded + r] = from[r * padded + s];
  }
#endif
  for (; t < rows; ++t)
    for (int s = 0; s < columns; ++s) to[s * padded + t] = from[t * padded + s];
}

}  // namespace

void complete_pair(const CompletePairArgs& args, Part part) {
  if (part.index != 0) return;
  const int n = args.n, first = args.first, second = n - first, padded = args.padded;
  for (int t = 0; t < first; ++t) copy_row(args.first_tile + t * first, args.gram + t * padded, first);
  mirror(args.gram + first, args.gram + first * padded, first, second, padded);
  for (int t = 0; t < second; ++t)
    copy_row(args.second_tile + t * second, args.gram + (first + t) * padded + first, second);
  for (int t = 0; t < n; ++t) {
    float* row = args.gram + t * padded;
    for (int s = n; s < padded; ++s) row[s] = 0;
  }
}

void invert_curvature(const InvertCurvatureArgs& args, Part part) {
  if (part.index != 0) return;
  const int n = args.n, padded = args.padded;
  float diagonal[most] = {};
  for (int t = 0; t < n; ++t) diagonal[t] = args.gram[t * padded + t];
  for (int i = 0; i < n; ++i) {
    const float* row = args.gram + i * padded;
    for (int j = 0; j < padded; j += lanes) {
      const Vec curvature = Vec(diagonal[i]) + Vec::load(diagonal + j) - Vec(2.0F) * Vec::load(row + j);
      (Vec(1.0F) / max(curvature, Vec(least_curvature))).store(args.inverse + i * padded + j);
    }
  }
}

}  // namespace wajah::WAJAH_KERNEL_ISA
