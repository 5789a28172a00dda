#include "pair_batch.hpp"

#include "folds.hpp"
#include "threshold.hpp"

#include <wajah/error.hpp>
#include <wajah/svm/solve_pair.hpp>
#include <wajah/svm/solve_pairs.hpp>
#include <wajah/svm/start_pairs.hpp>

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

// The coefficients of one class: their sizes added up, and how far that sum may grow until the largest meets the bound.
struct Side {
  double sum = 0, most = 0;
};

Side side_of(const Variables& v, std::size_t begin, std::size_t end, double bound) {
  constexpr double nothing = 1e-9;  // of the largest, what rows left out leave in roundings
  Side side;
  double largest = 0;
  for (std::size_t t = begin; t < end; ++t) {
    side.sum += std::abs(v.beta[t]);
    largest = std::max(largest, std::abs(v.beta[t]));
  }
  side.most = side.sum > nothing * largest ? side.sum * bound / largest : 0;
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
    inverted_ = false;
    fill(members, kernel, options.cpu);
    for (std::size_t t = 0; t < rows_; ++t) check_diagonal(t, static_cast<double>(gram_[t * padded_ + t]));
  }

  // What start_pairs is to find, and until then a start from 0.
  [[nodiscard]] PairStart start() {
    PairStart start{};
    started_.fill(0);
    start.gram = gram_.data();
    start.n = static_cast<int>(rows_);
    start.first = static_cast<int>(first_);
    start.beta = started_.data();
    for (std::size_t f = 0; f < folds; ++f) start.fold_beta[f] = fold_started_[f].data();
    start.decisions = started_decisions_.data();
    return start;
  }

  // From where start_pairs left it.
  [[nodiscard]] PairJob whole() {
    set_bounds(all_, folds);
    move_to(all_, std::span<const float>(started_), 0);
    return job(all_);
  }

  // Whether the machine without `fold` is known already, because start_pairs found it or because one class is left.
  [[nodiscard]] bool knows(std::size_t fold, const PairStart& start, bool exact) {
    answers_[fold] = answer_of_one_class(std::span(signs_).first(rows_), fold);
    if (answers_[fold]) {
      for (std::size_t t = fold; t < rows_; t += folds) decisions_[t] = *answers_[fold];
      return true;
    }
    if (exact || (start.met >> fold & 1U) == 0) return false;
    for (std::size_t t = fold; t < rows_; t += folds) decisions_[t] = static_cast<double>(started_decisions_[t]);
    return true;
  }

  // From where start_pairs left it, or from the machine of all rows: those judged go to 0, and those left take over
  // what they held, class by class, as far as bounds allow; half the steps of a start from 0.
  [[nodiscard]] PairJob without(std::size_t fold, bool started) {
    Variables& v = folds_[fold];
    set_bounds(v, fold);
    if (started) {
      move_to(v, std::span<const float>(fold_started_[fold]), 0);
    } else {
      move_to(v, std::span<const double>(all_.beta), side_of(all_, 0, first_, c_).sum);
    }
    return job(v);
  }

  // What steps need and looking does not.
  void invert(const Cpu& cpu) {
    if (inverted_) return;
    invert_curvature(cpu, {gram_.data(), inverse_.data(), static_cast<int>(rows_), static_cast<int>(padded_)});
    inverted_ = true;
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
    pair.first.assign(job.beta, job.beta + first_);
    pair.second.assign(job.beta + first_, job.beta + rows_);
    pair.rho = job.rho;
    pair.converged = converged;
  }

  void judge(std::size_t fold, const PairJob& job) {
    for (std::size_t t = fold; t < rows_; t += folds) decisions_[t] = signs_[t] - job.gradient[t] - job.rho;
  }

  [[nodiscard]] Sigmoid sigmoid(const Cpu& cpu) {
    for (std::size_t t = 0; t < rows_; ++t) check_decision(t, decisions_[t]);
    Sigmoid sigmoid;
    wajah::fit_sigmoid(cpu,
                       {decisions_.data(), static_cast<int>(rows_), static_cast<int>(first_), &sigmoid.a, &sigmoid.b});
    return sigmoid;
  }

 private:
  void fill(const PairMembers& members, const Kernel& kernel, const Cpu& cpu) {
    gram(cpu, kernel, members.first->x, members.second->x, gram_.data() + first_, padded_);
    complete_pair(cpu,
                  {own_tile(*members.first, kernel, cpu, tiles_[0]), own_tile(*members.second, kernel, cpu, tiles_[1]),
                   gram_.data(), static_cast<int>(rows_), static_cast<int>(first_), static_cast<int>(padded_)});
  }
  static const float* own_tile(const ClassRows& c, const Kernel& kernel, const Cpu& cpu, std::vector<float>& room) {
    if (!c.gram.empty()) return c.gram.data();
    const auto n = static_cast<std::size_t>(c.x.shape.n);
    room.resize(n * n);
    gram(cpu, kernel, c.x, c.x, room.data(), n);
    return room.data();
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

  // Rows of the fold left out have no room at all.
  void set_bounds(Variables& v, std::size_t left_out) const {
    for (auto* values : {&v.lower, &v.upper, &v.beta}) std::fill_n(values->begin(), padded_, 0.0);
    for (std::size_t t = 0; t < rows_; ++t) (signs_[t] > 0 ? v.upper : v.lower)[t] = signs_[t] > 0 ? c_ : -c_;
    for (std::size_t t = left_out; left_out < folds && t < rows_; t += folds) v.lower[t] = v.upper[t] = 0;
  }

  // Coefficients near `from`, between bounds and with a sum of 0, as far as doubles can say. Each class holds `wanted`
  // in all; 0: as much as the class that holds less.
  template <class Value>
  void move_to(Variables& v, std::span<const Value> from, double wanted) const {
    for (std::size_t t = 0; t < rows_; ++t)
      v.beta[t] = std::clamp(static_cast<double>(from[t]), v.lower[t], v.upper[t]);
    const Side positive = side_of(v, 0, first_, c_), negative = side_of(v, first_, rows_, c_);
    const double total = wanted > 0 ? std::min({wanted, positive.most, negative.most})
                                    : std::min({positive.sum, negative.sum, positive.most, negative.most});
    const bool sound = total > 0 && std::isfinite(positive.sum + negative.sum);  // else from nothing
    for (std::size_t t = 0; t < rows_; ++t) {
      const double factor = sound ? total / (t < first_ ? positive.sum : negative.sum) : 0;
      v.beta[t] = sound ? std::clamp(v.beta[t] * factor, v.lower[t], v.upper[t]) : 0;
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
  bool inverted_ = false;
  std::array<float, most_rows> started_, started_decisions_;  // what start_pairs found
  std::array<std::array<float, most_rows>, folds> fold_started_;
  Variables all_;
  std::array<Variables, folds> folds_;
  std::array<std::optional<int>, folds> answers_;
  std::array<double, most_rows> decisions_{};
};

bool PairBatch::fits(std::size_t rows, std::size_t memory) {
  return rows <= most_rows && rows * padded(rows) * sizeof(float) <= memory;
}

std::size_t PairBatch::padded(std::size_t rows) { return (rows + vector_width - 1) / vector_width * vector_width; }

PairBatch::PairBatch(const Kernel& kernel, const PairOptions& options)
    : kernel_(kernel), options_(options), slots_(new Slot[most_pairs]), scratch_(start_pairs_scratch * sizeof(float)) {}

PairBatch::PairBatch(PairBatch&&) noexcept = default;
PairBatch::~PairBatch() = default;

// As many steps as floats may need; beyond, they go round in circles. look_only: none.
void PairBatch::solve(std::span<PairJob> jobs, bool exact, bool look_only) const {
  constexpr int steps_a_row = 64;
  if (jobs.empty()) return;
  const auto size = static_cast<int>(padded(static_cast<std::size_t>(jobs.front().n)));
  solve_pairs(options_.cpu, {jobs.data(), static_cast<int>(jobs.size()), size, options_.solver.tolerance,
                             look_only ? 0 : steps_a_row * size, exact});
}

void PairBatch::train_whole(std::span<Pair* const> results) {
  std::array<PairJob, most_pairs> jobs, open;
  std::array<std::size_t, most_pairs> opened;
  for (std::size_t p = 0; p < results.size(); ++p) jobs[p] = slots_[p].whole();
  solve(std::span(jobs).first(results.size()), true, true);
  std::size_t count = 0;
  for (std::size_t p = 0; p < results.size(); ++p) {
    if (jobs[p].met) continue;
    slots_[p].invert(options_.cpu);
    opened[count] = p;
    open[count++] = jobs[p];
  }
  solve(std::span(open).first(count), true, false);
  for (std::size_t o = 0; o < count; ++o) jobs[opened[o]] = open[o];
  for (std::size_t p = 0; p < results.size(); ++p)
    slots_[p].write(jobs[p], slots_[p].finish(jobs[p], options_), *results[p]);
}

void PairBatch::judge_folds(std::span<const PairStart> starts, const Started& started) {
  struct Judging {
    std::size_t pair, fold;
  };
  // The machines of folds only feed a sigmoid, for which floats will do unless much is asked.
  const bool exact = options_.solver.tolerance < 5e-4;
  std::array<PairJob, most_pairs * folds> jobs;
  std::array<Judging, most_pairs * folds> judgings;
  std::size_t count = 0;
  for (std::size_t p = 0; p < starts.size(); ++p) {
    for (std::size_t fold = 0; fold < folds; ++fold) {
      if (slots_[p].knows(fold, starts[p], exact)) continue;
      slots_[p].invert(options_.cpu);
      judgings[count] = {p, fold};
      jobs[count++] = slots_[p].without(fold, started[p]);
    }
  }
  solve(std::span(jobs).first(count), exact, false);
  for (std::size_t j = 0; j < count; ++j) {
    Slot& slot = slots_[judgings[j].pair];
    (void)slot.finish(jobs[j], options_);
    slot.judge(judgings[j].fold, jobs[j]);
  }
}

namespace {

// Rows in few dimensions depend on each other, nearly, so that linear equations tell little: such pairs take their
// steps from 0.
bool begins_near(const PairMembers& members) {
  constexpr int dimensions_a_row = 3;
  return dimensions_a_row * (members.first->x.shape.n + members.second->x.shape.n) <= members.first->x.shape.c;
}

}  // namespace

void PairBatch::train(std::span<const PairMembers> members, std::span<Pair* const> results) {
  std::array<PairStart, most_pairs> starts, near;
  std::array<std::size_t, most_pairs> places;
  Started started;
  std::size_t count = 0;
  for (std::size_t p = 0; p < members.size(); ++p) {
    slots_[p].begin(members[p], kernel_, options_);
    starts[p] = slots_[p].start();
    started[p] = begins_near(members[p]);
    if (!started[p]) continue;
    places[count] = p;
    near[count++] = starts[p];
  }
  if (count > 0) {
    const std::size_t size = padded(static_cast<std::size_t>(near[0].n));
    start_pairs(options_.cpu,
                {near.data(), static_cast<int>(count), static_cast<int>(size), static_cast<float>(options_.solver.c),
                 static_cast<float>(options_.solver.tolerance * 0.998), options_.probability, scratch_.as<float>()});
  }
  for (std::size_t o = 0; o < count; ++o) starts[places[o]].met = near[o].met;
  train_whole(results);
  if (!options_.probability) return;
  judge_folds(std::span(starts).first(members.size()), started);
  for (std::size_t p = 0; p < members.size(); ++p) results[p]->sigmoid = slots_[p].sigmoid(options_.cpu);
}

}  // namespace wajah::svm
