// Where the machines of many pairs end, by an active set.
//
// The plain way (solver.cpp) takes 53 steps for a pair of 20 + 20 photos and 26 for each machine of a fold. But who is
// a support vector is guessed well: if it is known, what remains are linear equations, K beta + rho = sign, sum of beta
// = 0, and whom the answer contradicts joins or leaves: a second round is right for nearly all. Twelve factorisations
// of 32 to 40 rows are less work than 183 steps, but alone each would be a chain of divisions. Step 1: a lane is a
// pair, so nothing is shuffled, nothing waits for a sum across lanes, and whoever is no support vector has an inverse
// pivot of 0 instead of a branch; four rows and two columns at a time keep the multiplications busy. Step 2: positions
// are ordered by fold, so that the machine without fold f begins with the factor of folds 0 to f - 1 as it stands.
//
// Cholesky, not the bordered matrix: the two right-hand sides sign and 1 are two more rows of the factor, u and v, and
// rho = u.v / v.v. A pivot that is a rounding, of a photo that was there already, counts as not free.
#include <wajah/svm/start_pairs.hpp>

#include <lane_equations.hpp>

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

constexpr int folds = PairStart::folds;
constexpr int most_rows = 64;

class Group : Equations {
 public:
  WAJAH_VEC Group(const StartPairsArgs& args, int begin)
      : args_(args), count_(args.count - begin < lanes ? args.count - begin : lanes) {
    int rows = 0;
    for (int l = 0; l < lanes; ++l) {
      pair_[l] = args.pairs + begin + (l < count_ ? l : 0);
      rows = pair_[l]->n > rows ? pair_[l]->n : rows;
    }
    rows_ = rows;
    fold_ = ((rows + folds - 1) / folds + 1) / 2 * 2;
    n_ = folds * fold_;
    for (int t = 0; t < most_rows; ++t) position_[t] = t % folds * fold_ + t / folds;
    float* next = args.scratch;
    const auto room = [&](int lines) __attribute__((always_inline)) {
      const Lines here{next};
      next += lines * lanes;
      return here;
    };
    kernel_ = room(cell(n_ + 2, 0));
    factor_ = room(cell(n_ + 2, 0));
    sign_ = room(n_);
    valid_ = room(n_);
    free_ = room(n_);
    inverse_ = room(n_);
    x_ = room(n_);
    product_ = room(n_);
    for (Lines& lines : fold_free_) lines = room(n_);
  }

  WAJAH_VEC void run() {
    fill();
    guess();
    const Gap none{n_, n_};
    solve(none, 0);
    multiply(none);
    change(none, free_);
    solve(none, 0);
    clamp();
    write_whole();
    if (args_.folds) run_folds();
  }

 private:
  WAJAH_VEC int position(int t) const { return position_[t]; }
  WAJAH_VEC Gap gap(int fold) const { return {fold * fold_, (fold + 1) * fold_}; }

  // Kernel values, signs, and the two right-hand sides as two more rows.
  WAJAH_VEC void fill() {
    const Vec zero(0.0F), one(1.0F);
    for (int i = 0; rows_ < n_ && i < cell(n_, 0); ++i) kernel_.set(i, zero);
    for (int p = 0; p < n_; ++p) {
      valid_.set(p, zero);
      sign_.set(p, zero);
    }
    for (int t = 0; t < rows_; ++t) {
      const int p = position(t);
      float sign[lanes], valid[lanes];
      for (int l = 0; l < lanes; ++l) {
        valid[l] = t < pair_[l]->n ? 1.0F : 0.0F;
        sign[l] = t < pair_[l]->first ? 1.0F : -valid[l];
      }
      sign_.set(p, Vec::load(sign));
      valid_.set(p, Vec::load(valid));
      fill_row(t);
    }
    for (int p = 0; p < n_; ++p) {
      kernel_.set(cell(n_, p), sign_[p]);
      kernel_.set(cell(n_ + 1, p), one);
    }
  }

  // Kernel values of row t with rows 0 to t, of every pair that has it; arrays are a whole number of vectors wide.
  WAJAH_VEC void fill_row(int t) {
    for (int s = 0; s <= t; s += eight)
      for (int l = 0; l < lanes; l += lanes_at_once) fill_block(t, s, l);
  }

  // Where row t's values with row s lie.
  WAJAH_VEC float* place(int t, int s) const {
    const int p = position(t), q = position(s);
    return kernel_.at + (p > q ? cell(p, q) : cell(q, p)) * lanes;
  }

  static constexpr int eight = 8;
#ifdef __AVX2__
  static constexpr int lanes_at_once = 8;
  // Eight values of eight pairs' row t, from row s on, as eight lines.
  WAJAH_VEC void fill_block(int t, int s, int lane) const {
    __m256 a[8], b[8];
    for (int l = 0; l < 8; ++l) {
      const PairStart& pair = *pair_[lane + l];
      a[l] = t < pair.n ? _mm256_loadu_ps(pair.gram + t * args_.padded + s) : _mm256_setzero_ps();
    }
    for (int l = 0; l < 8; l += 2) {
      b[l] = _mm256_unpacklo_ps(a[l], a[l + 1]);
      b[l + 1] = _mm256_unpackhi_ps(a[l], a[l + 1]);
    }
    for (int l = 0; l < 8; l += 4) {
      a[l] = _mm256_shuffle_ps(b[l], b[l + 2], 0x44);
      a[l + 1] = _mm256_shuffle_ps(b[l], b[l + 2], 0xEE);
      a[l + 2] = _mm256_shuffle_ps(b[l + 1], b[l + 3], 0x44);
      a[l + 3] = _mm256_shuffle_ps(b[l + 1], b[l + 3], 0xEE);
    }
    for (int k = 0; k < 4; ++k) {
      if (s + k <= t) _mm256_storeu_ps(place(t, s + k) + lane, _mm256_permute2f128_ps(a[k], a[k + 4], 0x20));
      if (s + k + 4 <= t) _mm256_storeu_ps(place(t, s + k + 4) + lane, _mm256_permute2f128_ps(a[k], a[k + 4], 0x31));
    }
  }
#else
  static constexpr int lanes_at_once = 1;
  WAJAH_VEC void fill_block(int t, int s, int lane) const {
    const PairStart& pair = *pair_[lane];
    for (int k = 0; k < eight && s + k <= t; ++k)
      place(t, s + k)[lane] = t < pair.n ? pair.gram[t * args_.padded + s + k] : 0.0F;
  }
#endif

  // Support vectors are those near the other class: the machine whose coefficients are all alike in a class gives
  // margins, 1 on average, and whose margin is far above that of the others is none.
  WAJAH_VEC void guess() {
    constexpr float deviations = 0.5F;
    const Vec zero(0.0F), one(1.0F);
    Vec positives = zero, negatives = zero;
    for (int p = 0; p < n_; ++p) {
      positives = positives + max(sign_[p], zero);
      negatives = negatives + max(zero - sign_[p], zero);
    }
    for (int p = 0; p < n_; ++p) x_.set(p, max(sign_[p], zero) / positives + min(sign_[p], zero) / negatives);
    multiply({n_, n_});
    // The mean over a class of the products is x . product, class by class.
    Vec above = zero, below = zero;
    for (int p = 0; p < n_; ++p) {
      above = fma(max(x_[p], zero), product_[p], above);
      below = fma(max(zero - x_[p], zero), product_[p], below);
    }
    const Vec middle = (above + below) * Vec(0.5F), scale = Vec(2.0F) / max(above - below, Vec(1e-20F));
    Vec spread = zero;
    for (int p = 0; p < n_; ++p) {
      const Vec margin = sign_[p] * (product_[p] - middle) * scale;
      const Vec off = (margin - one) * valid_[p];
      spread = fma(off, off, spread);
      x_.set(p, margin);
    }
    const Vec most_margin = fma(root(spread / (positives + negatives)), Vec(deviations), Vec(1.0F + 1e-3F));
    for (int p = 0; p < n_; ++p) free_.set(p, positive(most_margin - x_[p]) * valid_[p]);
  }

  // Who is free next: whoever has a coefficient of the wrong sign leaves, and whoever would rise from 0 joins. Whether
  // that is anybody.
  WAJAH_CALL bool change(Gap skip, Lines next) {
    const Vec zero(0.0F), least(args_.tolerance * 0.5F);
    Vec any = zero;
    for (int p = 0; p < n_; ++p) {
      if (p >= skip.begin && p < skip.end) {
        next.set(p, zero);
        continue;
      }
      const Vec now = free_[p], sign = sign_[p];
      const Vec gain = sign * (sign - rho_ - product_[p]) - least;
      const Vec leaves = now * positive(zero - x_[p] * sign), joins = (valid_[p] - now) * positive(gain);
      any = max(any, max(leaves, joins));
      next.set(p, now - leaves + joins);
    }
    return max_lane(any) > 0.0F;
  }

  // Coefficients within their bounds.
  WAJAH_VEC void clamp() {
    for (int p = 0; p < n_; ++p) x_.set(p, min(max(x_[p] * sign_[p], Vec(0.0F)), Vec(args_.c)) * sign_[p]);
  }

  WAJAH_VEC void run_folds() {
    for (int l = 0; l < count_; ++l) pair_[l]->met = 0;
    bool changed[folds];
    const Gap none{n_, n_};
    for (int f = folds - 1; f >= 0; --f) {  // backwards, because a fold's columns take the place of those after it
      const Gap skip = gap(f);
      solve(skip, skip.begin);
      multiply(skip);
      changed[f] = change(skip, fold_free_[f]);
      if (!changed[f]) {
        clamp();
        multiply(none);
        write_fold(f);
      }
    }
    for (int f = 0; f < folds; ++f) {
      if (!changed[f]) continue;
      free_ = fold_free_[f];
      solve(gap(f), 0);
      clamp();
      multiply(none);
      write_fold(f);
    }
  }

  WAJAH_VEC void write(Lines from, float* PairStart::*to) const {
    for (int t = 0; t < rows_; ++t) {
      float value[lanes];
      from[position(t)].store(value);
      for (int l = 0; l < count_; ++l)
        if (t < pair_[l]->n) (pair_[l]->*to)[t] = value[l];
    }
  }
  WAJAH_VEC void write_whole() const { write(x_, &PairStart::beta); }

  // The threshold and whether the conditions hold, as solve_pairs tells them.
  WAJAH_CALL void write_fold(int fold) const {
    const Vec zero(0.0F), one(1.0F), c(args_.c);
    const Gap skip = gap(fold);
    Vec highest(-far), lowest(far), sum = zero, free = zero, rest = zero, sizes = zero;
    for (int p = 0; p < n_; ++p) {
      if (p == skip.begin) p = skip.end;
      if (p >= n_) break;
      const Vec sign = sign_[p], g = sign - product_[p], size = x_[p] * sign, there = valid_[p];
      const Vec up = positive(c - size) * there, down = positive(size) * there;
      const Vec first = max(sign, zero), second = max(zero - sign, zero);
      const Vec rises = fma(up, first, down * second), falls = fma(down, first, up * second);
      highest = max(highest, g - (one - rises) * Vec(far));
      lowest = min(lowest, g + (one - falls) * Vec(far));
      sum = fma(up * down, g, sum);
      free = fma(up, down, free);
      rest = rest + x_[p];
      sizes = sizes + size;
    }
    // Bounds may have taken what made the sum 0.
    constexpr float rounding = 2e-5F;
    const Vec beyond = positive(max(rest, zero - rest) - sizes * Vec(rounding));
    float gap_of[lanes], rho[lanes], middle[lanes], frees[lanes];
    fma(beyond, Vec(far), highest - lowest).store(gap_of);
    (zero - sum / max(free, one)).store(rho);
    (zero - (highest + lowest) * Vec(0.5F)).store(middle);
    free.store(frees);
    for (int l = 0; l < count_; ++l) {
      const float threshold = frees[l] > 0 ? rho[l] : middle[l];
      PairStart& pair = *pair_[l];
      if (gap_of[l] < args_.tolerance && gap_of[l] > -far) {
        pair.met |= 1U << fold;
        for (int t = fold; t < pair.n; t += folds) pair.decisions[t] = lane_of(product_, position(t), l) - threshold;
      } else {
        for (int t = 0; t < pair.n; ++t) pair.fold_beta[fold][t] = lane_of(x_, position(t), l);
      }
    }
  }
  WAJAH_VEC static float lane_of(Lines lines, int p, int lane) { return lines.at[p * lanes + lane]; }

  const StartPairsArgs& args_;
  int count_, rows_, fold_;  // pairs, rows of the largest, positions of a fold
  PairStart* pair_[lanes];
  int position_[most_rows];
  Lines sign_, valid_, fold_free_[folds];
};

}  // namespace

void start_pairs(const StartPairsArgs& args, Part part) {
  if (part.index != 0) return;
  for (int begin = 0; begin < args.count; begin += lanes) Group(args, begin).run();
}

}  // namespace wajah::WAJAH_KERNEL_ISA
