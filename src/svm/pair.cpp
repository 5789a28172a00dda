#include <wajah/svm/pair.hpp>

#include "folds.hpp"
#include "pair_batch.hpp"
#include "parallel.hpp"
#include "small_problem.hpp"

#include <wajah/error.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <utility>

namespace wajah::svm {
namespace {

// The rows of both classes as one numbered set, and kernel values among them: all computed once where they fit, so that
// the five machines of the probability share them with the final one.
class Rows {
 public:
  Rows(const Cpu& cpu, const Kernel& kernel, const ClassRows& first, const ClassRows& second, std::size_t memory)
      : cpu_(cpu), kernel_(kernel), memory_(memory), dimensions_(static_cast<std::size_t>(first.x.shape.c)) {
    for (const auto& x : {first.x, second.x})
      for (int r = 0; r < x.shape.n; ++r) rows_.push_back(x.pixel(r, 0, 0));
    signs_.assign(rows_.size(), -1);
    std::fill_n(signs_.begin(), first.x.shape.n, 1);
    // Twice: a solver is handed a copy, which it permutes.
    if (2 * sizeof(float) * rows_.size() <= memory / rows_.size()) fill(first, second);
  }

  [[nodiscard]] std::span<const int> signs() const { return signs_; }

  [[nodiscard]] std::unique_ptr<KernelMatrix> matrix(std::span<const std::size_t> subset) const {
    if (gram_.empty()) {
      std::vector<const float*> rows;
      for (const std::size_t s : subset) rows.push_back(rows_[s]);
      return std::make_unique<RowCache>(kernel_, std::move(rows), dimensions_, memory_);
    }
    std::vector<float> values;
    values.reserve(subset.size() * subset.size());
    for (const std::size_t s : subset)
      for (const std::size_t t : subset) values.push_back(gram_[s * rows_.size() + t]);
    return std::make_unique<GramMatrix>(std::move(values), subset.size());
  }

  [[nodiscard]] double value(std::size_t s, std::size_t t) const {
    // Through float like every stored value, so that memory changes no result.
    if (gram_.empty()) return static_cast<double>(static_cast<float>(kernel_(rows_[s], rows_[t], dimensions_)));
    return static_cast<double>(gram_[s * rows_.size() + t]);
  }

 private:
  // The tiles first x first, first x second and its mirror, second x second.
  void fill(const ClassRows& first, const ClassRows& second) {
    const std::size_t n = rows_.size(), m = static_cast<std::size_t>(first.x.shape.n);
    gram_.resize(n * n);
    own_tile(first, gram_.data());
    own_tile(second, gram_.data() + m * n + m);
    gram(cpu_, kernel_, first.x, second.x, gram_.data() + m, n);
    for (std::size_t s = 0; s < m; ++s)
      for (std::size_t t = m; t < n; ++t) gram_[t * n + s] = gram_[s * n + t];
  }

  void own_tile(const ClassRows& rows, float* out) const {
    const auto m = static_cast<std::size_t>(rows.x.shape.n);
    if (rows.gram.empty()) return gram(cpu_, kernel_, rows.x, rows.x, out, rows_.size());
    for (std::size_t s = 0; s < m; ++s)
      std::copy_n(rows.gram.begin() + static_cast<std::ptrdiff_t>(s * m), m, out + s * rows_.size());
  }

  Cpu cpu_;
  Kernel kernel_;
  std::size_t memory_, dimensions_;
  std::vector<const float*> rows_;
  std::vector<int> signs_;
  std::vector<float> gram_;
};

Solution solve_subset(const Rows& rows, std::span<const std::size_t> subset, const SolverOptions& options) {
  std::vector<int> signs;
  for (const std::size_t s : subset) signs.push_back(rows.signs()[s]);
  const auto matrix = rows.matrix(subset);
  return solve(*matrix, signs, options);
}

// Decision values of the rows of one fold by a machine trained on all others.
void judge(const Rows& rows, std::size_t fold, const SolverOptions& options, std::span<double> decisions) {
  std::vector<std::size_t> known;
  for (std::size_t t = 0; t < decisions.size(); ++t)
    if (t % folds != fold) known.push_back(t);
  const Solution machine = solve_subset(rows, known, options);
  for (std::size_t t = fold; t < decisions.size(); t += folds) {
    decisions[t] = -machine.rho;
    for (std::size_t s = 0; s < known.size(); ++s)
      if (machine.coefficients[s] != 0) decisions[t] += machine.coefficients[s] * rows.value(known[s], t);
  }
}

// judge_fold(fold, decisions) fills in the decision values of one fold.
template <class JudgeFold>
Sigmoid fit_by_folds(std::span<const int> signs, JudgeFold judge_fold) {
  std::vector<double> decisions(signs.size());
  for (std::size_t fold = 0; fold < folds; ++fold) {
    if (const auto answer = answer_of_one_class(signs, fold)) {
      for (std::size_t t = fold; t < signs.size(); t += folds) decisions[t] = *answer;
    } else {
      judge_fold(fold, std::span(decisions));
    }
  }
  return fit_sigmoid(decisions, signs);
}

void check(const ClassRows& first, const ClassRows& second) {
  if (first.x.shape.n < 1 || second.x.shape.n < 1)
    fail(ErrorKind::input, "pair: classes of {} and {} rows, expected at least 1 each", first.x.shape.n,
         second.x.shape.n);
  if (first.x.shape.c != second.x.shape.c)
    fail(ErrorKind::input, "pair: rows of {} and {} values, expected one width", first.x.shape.c, second.x.shape.c);
  for (const ClassRows& rows : {first, second}) {
    const auto n = static_cast<std::size_t>(rows.x.shape.n);
    if (!rows.gram.empty() && rows.gram.size() != n * n)
      fail(ErrorKind::input, "pair: {} kernel values in a class, expected {} x {}", rows.gram.size(), n, n);
  }
}

Pair split(const Solution& solution, int first_rows) {
  const auto middle = solution.coefficients.begin() + first_rows;
  Pair pair;
  pair.first.assign(solution.coefficients.begin(), middle);
  pair.second.assign(middle, solution.coefficients.end());
  pair.rho = solution.rho;
  pair.converged = solution.converged;
  return pair;
}

Pair train_small(SmallProblem problem, int first_rows, const PairOptions& options) {
  Pair pair = split(problem.solve(options.solver), first_rows);
  if (!options.probability) return pair;
  pair.sigmoid = fit_by_folds(problem.signs(), [&](std::size_t fold, std::span<double> decisions) {
    problem.judge(options.solver, fold, folds, decisions);
  });
  return pair;
}

Pair train_large(const Rows& rows, int first_rows, const PairOptions& options) {
  std::vector<std::size_t> all(rows.signs().size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  Pair pair = split(solve_subset(rows, all, options.solver), first_rows);
  if (!options.probability) return pair;
  pair.sigmoid = fit_by_folds(rows.signs(), [&](std::size_t fold, std::span<double> decisions) {
    judge(rows, fold, options.solver, decisions);
  });
  return pair;
}

std::size_t rows_of(const PairMembers& members) {
  return static_cast<std::size_t>(members.first->x.shape.n) + static_cast<std::size_t>(members.second->x.shape.n);
}

Pair train_alone(const Kernel& kernel, const PairMembers& members, const PairOptions& options) {
  const ClassRows &first = *members.first, &second = *members.second;
  const int m = first.x.shape.n;
  if (SmallProblem::fits(rows_of(members), options.memory)) {
    return train_small(SmallProblem(options.cpu, kernel, first, second), m, options);
  }
  return train_large(Rows(options.cpu, kernel, first, second, options.memory), m, options);
}

// Neighbours of one padded size go together.
void train_some(PairBatch& batch, const Kernel& kernel, std::span<const PairMembers> members,
                const PairOptions& options, std::span<Pair> pairs) {
  for (std::size_t p = 0; p < members.size();) {
    const std::size_t size = PairBatch::padded(rows_of(members[p]));
    const std::size_t begin = p;
    std::array<Pair*, PairBatch::most_pairs> results;
    while (p < members.size() && p - begin < results.size() && PairBatch::fits(rows_of(members[p]), options.memory) &&
           PairBatch::padded(rows_of(members[p])) == size) {
      results[p - begin] = &pairs[p];
      ++p;
    }
    if (p > begin) {
      batch.train(members.subspan(begin, p - begin), std::span(results).first(p - begin));
    } else {
      pairs[p] = train_alone(kernel, members[p], options);
      ++p;
    }
  }
}

}  // namespace

std::vector<Pair> train_pairs(const Kernel& kernel, std::span<const PairMembers> members, const PairOptions& options,
                              int threads) {
  constexpr std::size_t chunk = PairBatch::most_pairs;
  check_options(options.solver);
  for (const PairMembers& pair : members) check(*pair.first, *pair.second);
  std::vector<Pair> pairs(members.size());
  for_each_index(
      threads, (members.size() + chunk - 1) / chunk, [&] { return PairBatch(kernel, options); },
      [&](PairBatch& batch, std::size_t c) {
        const std::size_t begin = c * chunk, count = std::min(chunk, members.size() - begin);
        train_some(batch, kernel, members.subspan(begin, count), options, std::span(pairs).subspan(begin, count));
      });
  return pairs;
}

Pair train_pair(const Kernel& kernel, const ClassRows& first, const ClassRows& second, const PairOptions& options) {
  const PairMembers members{&first, &second};
  return std::move(train_pairs(kernel, {&members, 1}, options, 1).front());
}

}  // namespace wajah::svm
