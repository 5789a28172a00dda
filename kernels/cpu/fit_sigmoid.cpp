// The sigmoid of largest likelihood, as src/svm/platt.cpp tells it, for one pair's decision values.
//
// Plain: exp and log one value at a time, 24 us for 40 of them. Here eight values go side by side through an
// exponential made of a polynomial; and the logarithms of one loss are one, since the sum of log(1 + q) is the log of
// the product, of which each factor is at most 2. Loss and derivatives come out of one pass: 0.5 us.
#include <wajah/svm/solve_pairs.hpp>

#include <doubles.hpp>

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

constexpr int most = 256;

// x * 2^k, of the k that stands in the low bits of `shifted`.
WAJAH_VEC Doubles times_power(Doubles x, Doubles shifted) {
#if defined(__AVX512F__)
  const __m512i k = _mm512_maskz_slli_epi64(0xFF, reinterpret_cast<__m512i>(shifted.v), 52);
  return {reinterpret_cast<__m512d>(reinterpret_cast<__m512i>(x.v) + k)};
#elif defined(__AVX2__)
  const auto half = [](__m256d value, __m256d from) __attribute__((always_inline)) {
    const __m256i k = _mm256_slli_epi64(_mm256_castpd_si256(from), 52);
    return _mm256_castsi256_pd(_mm256_add_epi64(_mm256_castpd_si256(value), k));
  };
  return {half(x.low, shifted.low), half(x.high, shifted.high)};
#else
  for (int l = 0; l < double_lanes; ++l) {
    const auto bits = __builtin_bit_cast(uint64_t, x.v[l]) + (__builtin_bit_cast(uint64_t, shifted.v[l]) << 52);
    x.v[l] = __builtin_bit_cast(double, bits);
  }
  return x;
#endif
}

// a * b + c, rounded once where the machine can: what is fitted does not depend on the last bit.
WAJAH_VEC Doubles fused(Doubles a, Doubles b, Doubles c) {
#if defined(__AVX512F__)
  return {_mm512_fmadd_pd(a.v, b.v, c.v)};
#elif defined(__AVX2__)
  return {_mm256_fmadd_pd(a.low, b.low, c.low), _mm256_fmadd_pd(a.high, b.high, c.high)};
#else
  return a * b + c;
#endif
}

// exp(x) for -700 <= x <= 0 to 1e-15 or so, exp(-700) below: 2^k * p(r), |r| <= ln(2) / 2, the series up to r^13 / 13!,
// even and odd powers apart, so that the two chains run side by side.
WAJAH_VEC Doubles exp_of_negative(Doubles x) {
  constexpr double even[] = {1.0 / 3628800, 1.0 / 40320, 1.0 / 720, 1.0 / 24, 0.5, 1.0};
  constexpr double odd[] = {1.0 / 39916800, 1.0 / 362880, 1.0 / 5040, 1.0 / 120, 1.0 / 6, 1.0};
  const Doubles to_integer =
      Doubles::all(6755399441055744.0);  // 1.5 * 2^52: adding it rounds, leaving k in the low bits
  const Doubles clamped = max(x, Doubles::all(-700));
  const Doubles shifted = fused(clamped, Doubles::all(1.44269504088896340736), to_integer);
  const Doubles k = shifted - to_integer;
  const Doubles r =
      fused(k, Doubles::all(-1.90821492927058770002e-10), fused(k, Doubles::all(-0.693147180369123816490), clamped));
  const Doubles square = r * r;
  Doubles p = Doubles::all(1.0 / 479001600), q = Doubles::all(1.0 / 6227020800);
#pragma GCC unroll 6
  for (int i = 0; i < 6; ++i) {
    p = fused(p, square, Doubles::all(even[i]));
    q = fused(q, square, Doubles::all(odd[i]));
  }
  return times_power(fused(q, r, p), shifted);
}

WAJAH_VEC double sum_of(Doubles x) {
  double lane[double_lanes], total = 0;
  x.store(lane);
  for (const double v : lane) total += v;
  return total;
}

struct Fit {
  double a, b;
};

// The loss and what Newton needs of it, at one sigmoid.
struct Point {
  double loss, da, db, aa, ab, bb;
};

struct Problem {
  int padded;
  double f[most], target[most], counts[most];  // counts: 1, and 0 beyond the values

  WAJAH_VEC explicit Problem(const FitSigmoidArgs& args)
      : padded((args.n + double_lanes - 1) / double_lanes * double_lanes) {
    const double positive = args.first, negative = args.n - args.first;
    const double high = (positive + 1) / (positive + 2), low = 1 / (negative + 2);
    for (int t = 0; t < padded; ++t) {
      f[t] = t < args.n ? args.decisions[t] : 0;
      target[t] = t < args.first ? high : low;
      counts[t] = t < args.n ? 1 : 0;
    }
  }

  WAJAH_VEC Point at(Fit s) const {
    const Doubles zero = Doubles::all(0), one = Doubles::all(1), a = Doubles::all(s.a), b = Doubles::all(s.b);
    Doubles loss = zero, da = zero, db = zero, aa = zero, ab = zero, bb = zero, product = one;
    for (int t = 0; t < padded; t += double_lanes) {
      const Doubles x = Doubles::load(f + t), goal = Doubles::load(target + t), count = Doubles::load(counts + t);
      const Doubles z = fused(a, x, b);
      const Doubles q = exp_of_negative(min(z, zero - z)), larger = one / (one + q);
      const Doubles p = where(equal(max(z, zero), zero), larger, q * larger);  // of z > 0 the smaller one
      const Doubles slope = (goal - p) * count, curvature = p * (one - p) * count;
      loss = fused(goal * z - min(z, zero), count, loss);
      product = product * fused(q, count, one);
      da = fused(x, slope, da);
      db = db + slope;
      ab = fused(x, curvature, ab);
      aa = fused(x * x, curvature, aa);
      bb = bb + curvature;
    }
    double lane[double_lanes], all = 1;
    product.store(lane);
    for (const double v : lane) all *= v;
    constexpr double ridge = 1e-12;  // keeps the Hessian positive definite
    return {
        sum_of(loss) + __builtin_log(all), sum_of(da), sum_of(db), sum_of(aa) + ridge, sum_of(ab), sum_of(bb) + ridge};
  }
};

// Moves along Newton's direction, halving the step until the loss falls enough (Armijo); false when no step of use is
// left, which at the minimum rounding brings about.
WAJAH_VEC bool newton_step(const Problem& problem, Fit& fit, Point& now) {
  constexpr double least_step = 1e-10, sufficient = 1e-4;
  const double determinant = now.aa * now.bb - now.ab * now.ab;
  const double da = (now.ab * now.db - now.bb * now.da) / determinant;
  const double db = (now.ab * now.da - now.aa * now.db) / determinant;
  const double descent = now.da * da + now.db * db;
  for (double step = 1; step >= least_step; step /= 2) {
    const Fit next{fit.a + step * da, fit.b + step * db};
    const Point there = problem.at(next);
    if (there.loss < now.loss + sufficient * step * descent) {
      fit = next;
      now = there;
      return true;
    }
  }
  return false;
}

WAJAH_VEC double magnitude(double x) { return x < 0 ? -x : x; }

// As the plain one.
WAJAH_VEC Fit near_the_end(const FitSigmoidArgs& args) {
  const double positives = args.first, negatives = args.n - args.first;
  const double high = __builtin_log(positives + 1), low = __builtin_log(negatives + 1);
  double above = 0, below = 0, spread = 0;
  for (int t = 0; t < args.n; ++t) (t < args.first ? above : below) += args.decisions[t];
  above /= positives;
  below /= negatives;
  for (int t = 0; t < args.n; ++t) {
    const double off = args.decisions[t] - (t < args.first ? above : below);
    spread += off * off;
  }
  const double apart = above - below, normal = apart * args.n / spread, targets = (high + low) / apart;
  const double a = normal < targets ? -normal : -targets, b = (low - high) / 2 - a * (above + below) / 2;
  return apart > 0 && b - b == 0 ? Fit{a, b} : Fit{0, low - high};
}

}  // namespace

void fit_sigmoid(const FitSigmoidArgs& args, Part part) {
  constexpr int rounds = 100;
  constexpr double gradient_tolerance = 1e-7;
  if (part.index != 0) return;
  const Problem problem(args);
  Fit fit = near_the_end(args);
  Point now = problem.at(fit);
  for (int round = 0; round < rounds; ++round) {
    if (magnitude(now.da) < gradient_tolerance && magnitude(now.db) < gradient_tolerance) break;
    if (!newton_step(problem, fit, now)) break;
  }
  *args.a = fit.a;
  *args.b = fit.b;
}

}  // namespace wajah::WAJAH_KERNEL_ISA
