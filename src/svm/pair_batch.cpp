#include "pair_batch.hpp"

#include "folds.hpp"
#include "threshold.hpp"

#include <wajah/error.hpp>
#include <wajah/svm/solve_pair.hpp>
#include <wajah/svm/solve_pairs.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace wajah::svm {
namespace {

constexpr std::size_t most_rows = 64;
constexpr std::size_t vector_width = 16;

// One machine's variables.
struct Variables {
  alignas(64) std::array<double, most_rows> lower, upper, beta, gradient;
};

double rho_of(const Variables& v, std::size_t rows) {
  Threshold threshold;
  for (std::size_t t = 0; t < rows; ++t) threshold.add(v.beta[t], v.lower[t], v.upper[t], v.gradient[t]);
  return threshold.rho();
}

// The rows from `begin` to `end`, one class, and how much of the solution they hold.
struct Side {
  std::size_t begin = 0, end = 0;
  double sum = 0, largest = 0;  // of |beta|
};

Side side_of(const Variables& v, std::size_t begin, std::size_t end) {
  Side side{begin, end, 0, 0};
  for (std::size_t t = begin; t < end; ++t) {
    side.sum += std::abs(v.beta[t]);
    side.largest = std::max(side.largest, std::abs(v.beta[t]));
  }
  return side;
}

}  // namespace

// One pair's kernel matrix and its machines: that of all rows, and those of the folds.
class PairBatch::Slot {
 public:
  void begin(const PairMembers& members, const Kernel& kernel, const PairOptions& options) {
    first_ = static_cast<std::size_t>(members.first->x.shape.n);
    rows_ = first_ + static_cast<std::size_t>(members.second->x.shape.n);
    padded_ = padded(rows_);
    c_ = options.solver.c;
    signs_.fill(-1);
    std::fill_n(signs_.begin(), first_, 1);
    fill(members, kernel, options.cpu);
    for (std::size_t t = 0; t < rows_; ++t) check_diagonal(t, static_cast<double>(gram_[t * padded_ + t]));
  }

  [[nodiscard]] PairJob whole() {
    for (auto* values : {&all_.lower, &all_.upper, &all_.beta}) std::fill_n(values->begin(), padded_, 0.0);
    for (std::size_t t = 0; t < rows_; ++t) set_bounds(all_, t, false);
    return job(all_);
  }

  // The machine without `fold`, where both classes are left.
  [[nodiscard]] std::optional<PairJob> without(std::size_t fold) {
    answers_[fold] = answer_of_one_class(std::span(signs_).first(rows_), fold);
    if (answers_[fold]) return std::nullopt;
    leave_out(fold);
    return job(folds_[fold]);
  }

  // From the first solution to one that holds to the tolerance, where floats were not enough.
  [[nodiscard]] bool finish(PairJob& job, const PairOptions& options) const {
    if (job.met) return true;
    Variables v;
    std::copy_n(job.lower, padded_, v.lower.begin());
    std::copy_n(job.upper, padded_, v.upper.begin());
    long long iterations = 0;
    const long long limit = iteration_limit(rows_);
    solve_pair(options.cpu,
               {gram_.data(), static_cast<std::ptrdiff_t>(padded_), static_cast<int>(rows_), static_cast<int>(padded_),
                options.solver.tolerance, limit, job.lower, job.upper, job.beta, job.gradient, &iterations});
    std::copy_n(job.beta, padded_, v.beta.begin());
    std::copy_n(job.gradient, padded_, v.gradient.begin());
    job.rho = rho_of(v, rows_);
    return iterations < limit;
  }

  void write(const PairJob& job, bool converged, Pair& pair) {
    positive_ = side_of(all_, 0, first_);
    negative_ = side_of(all_, first_, rows_);
    pair.first.assign(job.beta, job.beta + first_);
    pair.second.assign(job.beta + first_, job.beta + rows_);
    pair.rho = job.rho;
    pair.converged = converged;
  }

  void judge(std::size_t fold, const PairJob& job) {
    for (std::size_t t = fold; t < rows_; t += folds) decisions_[t] = signs_[t] - job.gradient[t] - job.rho;
  }

  [[nodiscard]] Sigmoid sigmoid(const Cpu& cpu) {
    for (std::size_t fold = 0; fold < folds; ++fold) {
      if (!answers_[fold]) continue;
      for (std::size_t t = fold; t < rows_; t += folds) decisions_[t] = *answers_[fold];
    }
    for (std::size_t t = 0; t < rows_; ++t) check_decision(t, decisions_[t]);
    Sigmoid sigmoid;
    wajah::fit_sigmoid(cpu,
                       {decisions_.data(), static_cast<int>(rows_), static_cast<int>(first_), &sigmoid.a, &sigmoid.b});
    return sigmoid;
  }

 private:
  void fill(const PairMembers& members, const Kernel& kernel, const Cpu& cpu) {
    gram(cpu, kernel, members.first->x, members.second->x, gram_.data() + first_, padded_);
    complete_pair(cpu, {own_tile(*members.first, kernel, cpu, tiles_[0]),
                        own_tile(*members.second, kernel, cpu, tiles_[1]), gram_.data(), inverse_.data(),
                        static_cast<int>(rows_), static_cast<int>(first_), static_cast<int>(padded_)});
  }
  static const float* own_tile(const ClassRows& c, const Kernel& kernel, const Cpu& cpu, std::vector<float>& room) {
    if (!c.gram.empty()) return c.gram.data();
    const auto n = static_cast<std::size_t>(c.x.shape.n);
    room.resize(n * n);
    gram(cpu, kernel, c.x, c.x, room.data(), n);
    return room.data();
  }

  void set_bounds(Variables& v, std::size_t t, bool left_out) const {
    v.lower[t] = left_out || signs_[t] > 0 ? 0 : -c_;
    v.upper[t] = left_out || signs_[t] < 0 ? 0 : c_;
  }

  [[nodiscard]] PairJob job(Variables& v) const {
    PairJob job{};
    job.gram = gram_.data();
    job.inverse = inverse_.data();
    job.n = static_cast<int>(rows_);
    job.first = static_cast<int>(first_);
    job.lower = v.lower.data();
    job.upper = v.upper.data();
    job.beta = v.beta.data();
    job.gradient = v.gradient.data();
    return job;
  }

  // Begins near its end: the rows judged go to 0, and those left take over what they held, class by class, as far as
  // bounds allow. Half the steps of a start from 0.
  void leave_out(std::size_t fold) {
    Variables& v = folds_[fold];
    for (auto member : {&Variables::lower, &Variables::upper, &Variables::beta})
      std::copy_n((all_.*member).begin(), padded_, (v.*member).begin());
    Side positive = positive_, negative = negative_;
    for (std::size_t t = fold; t < rows_; t += folds) {
      (t < first_ ? positive : negative).sum -= std::abs(v.beta[t]);
      v.lower[t] = v.upper[t] = v.beta[t] = 0;
    }
    constexpr double nothing = 1e-9;  // of what rows left out leave, roundings
    double total = positive_.sum;
    for (const Side& side : {positive, negative})
      total = side.sum > nothing * side.largest ? std::min(total, side.sum * c_ / side.largest) : 0;
    for (const Side& side : {positive, negative}) {
      const double factor = total > 0 ? total / side.sum : 0;
      for (std::size_t t = side.begin; t < side.end; ++t)
        v.beta[t] = std::clamp(v.beta[t] * factor, v.lower[t], v.upper[t]);
    }
  }

  static void check_decision(std::size_t t, double value) {
    if (!std::isfinite(value))
      fail(ErrorKind::input, "sigmoid: decision value {} is {}, expected a finite number", t, value);
  }

  std::size_t first_ = 0, rows_ = 0, padded_ = 0;
  double c_ = 1;
  std::array<int, most_rows> signs_;
  alignas(64) std::array<float, most_rows * most_rows> gram_, inverse_;
  std::array<std::vector<float>, 2> tiles_;  // of classes that came without theirs
  Variables all_;
  Side positive_, negative_;  // of all_, solved
  std::array<Variables, folds> folds_;
  std::array<std::optional<int>, folds> answers_;
  std::array<double, most_rows> decisions_{};
};

bool PairBatch::fits(std::size_t rows, std::size_t memory) {
  return rows <= most_rows && rows * padded(rows) * sizeof(float) <= memory;
}

std::size_t PairBatch::padded(std::size_t rows) { return (rows + vector_width - 1) / vector_width * vector_width; }

PairBatch::PairBatch(const Kernel& kernel, const PairOptions& options)
    : kernel_(kernel), options_(options), slots_(new Slot[most_pairs]) {}

PairBatch::~PairBatch() = default;

void PairBatch::train(std::span<const PairMembers> members, std::span<Pair* const> results) {
  constexpr int steps_a_row = 64;  // beyond, floats go round in circles
  // The machines of folds only feed a sigmoid, for which floats will do unless much is asked.
  const bool folds_exact = options_.solver.tolerance < 5e-4;
  const auto solve_all = [&](std::span<PairJob> jobs, bool exact) {
    if (jobs.empty()) return;
    const auto padded_size = static_cast<int>(padded(static_cast<std::size_t>(jobs.front().n)));
    solve_pairs(options_.cpu, {jobs.data(), static_cast<int>(jobs.size()), padded_size, options_.solver.tolerance,
                               steps_a_row * padded_size, exact});
  };
  std::array<PairJob, most_pairs> whole;
  for (std::size_t p = 0; p < members.size(); ++p) {
    slots_[p].begin(members[p], kernel_, options_);
    whole[p] = slots_[p].whole();
  }
  solve_all(std::span(whole).first(members.size()), true);
  for (std::size_t p = 0; p < members.size(); ++p)
    slots_[p].write(whole[p], slots_[p].finish(whole[p], options_), *results[p]);
  if (!options_.probability) return;

  struct Judging {
    std::size_t pair, fold;
  };
  std::array<PairJob, most_pairs * folds> jobs;
  std::array<Judging, most_pairs * folds> judgings;
  std::size_t count = 0;
  for (std::size_t p = 0; p < members.size(); ++p) {
    for (std::size_t fold = 0; fold < folds; ++fold) {
      const auto job = slots_[p].without(fold);
      if (!job) continue;
      judgings[count] = {p, fold};
      jobs[count++] = *job;
    }
  }
  solve_all(std::span(jobs).first(count), folds_exact);
  for (std::size_t j = 0; j < count; ++j) {
    Slot& slot = slots_[judgings[j].pair];
    (void)slot.finish(jobs[j], options_);
    slot.judge(judgings[j].fold, jobs[j]);
  }
  for (std::size_t p = 0; p < members.size(); ++p) results[p]->sigmoid = slots_[p].sigmoid(options_.cpu);
}

}  // namespace wajah::svm
