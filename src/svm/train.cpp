#include <wajah/svm/packed_rows.hpp>
#include <wajah/svm/svm.hpp>

#include "parallel.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace wajah::svm {

Kernel checked_kernel(const SvmOptions& options, std::size_t dimensions) {
  if (!(options.gamma >= 0) || !std::isfinite(options.gamma))
    fail(ErrorKind::usage, "gamma: {}, expected a number above 0, or 0 for 1 / dimensions", options.gamma);
  return {options.kernel, options.gamma > 0 ? options.gamma : 1 / static_cast<double>(dimensions)};
}

std::vector<ClassVectors> classes_of(const Problem& problem) {
  std::vector<ClassVectors> classes;
  for (const Group& group : problem.groups()) {
    ClassVectors c{group.label, {}};
    c.rows.reserve(group.rows.size() * problem.dimensions());
    for (const std::size_t r : group.rows) c.rows.insert(c.rows.end(), problem.row(r).begin(), problem.row(r).end());
    classes.push_back(std::move(c));
  }
  return classes;
}

namespace {

// Every class's own kernel values, which each of its pairs needs, where all of them fit in `bytes`.
std::vector<std::vector<float>> class_grams(const Cpu& cpu, const Kernel& kernel, std::span<const ClassRows> classes,
                                            std::size_t bytes, int threads) {
  double total = 0;
  for (const ClassRows& c : classes) total += static_cast<double>(c.x.shape.n) * c.x.shape.n * sizeof(float);
  std::vector<std::vector<float>> grams(classes.size());
  if (total > static_cast<double>(bytes)) return grams;
  for_each_index(threads, classes.size(), [&](std::size_t c) {
    const auto n = static_cast<std::size_t>(classes[c].x.shape.n);
    grams[c].resize(n * n);
    gram(cpu, kernel, classes[c].x, classes[c].x, grams[c].data(), n);
  });
  return grams;
}

// All pairs in the order of pair_index, trained in squares of classes whose rows stay in the second cache.
std::vector<Pair> train_all(const Kernel& kernel, std::span<const ClassRows> classes, const PairOptions& options,
                            int threads) {
  constexpr std::size_t side = 4;
  const std::size_t k = classes.size();
  std::vector<PairMembers> members;
  std::vector<std::size_t> places;
  members.reserve(k * (k - 1) / 2);
  places.reserve(k * (k - 1) / 2);
  for (std::size_t top = 0; top < k; top += side)
    for (std::size_t left = top; left < k; left += side)
      for (std::size_t i = top; i < std::min(top + side, k); ++i)
        for (std::size_t j = std::max(left, i + 1); j < std::min(left + side, k); ++j) {
          members.push_back({&classes[i], &classes[j]});
          places.push_back(pair_index(i, j, k));
        }
  auto trained = train_pairs(kernel, members, options, threads);
  std::vector<Pair> pairs(trained.size());
  for (std::size_t p = 0; p < pairs.size(); ++p) pairs[places[p]] = std::move(trained[p]);
  return pairs;
}

}  // namespace

Svm Svm::train(const Problem& problem, const SvmOptions& options) {
  const Kernel kernel = checked_kernel(options, problem.dimensions());
  const Cpu cpu(1, options.isa);  // of one thread: pairs are what is spread
  const int threads = resolve_threads(options.threads);
  check_options(SolverOptions{options.c, options.tolerance, options.shrinking});
  std::vector<ClassVectors> classes = classes_of(problem);
  std::vector<PackedRows> packed;
  std::vector<ClassRows> rows;
  for (const auto& c : classes) rows.push_back({packed.emplace_back(c.rows, problem.dimensions()).view(), {}});
  const auto grams = class_grams(cpu, kernel, rows, options.memory / 2, threads);
  for (std::size_t c = 0; c < rows.size(); ++c) rows[c].gram = grams[c];
  const PairOptions pair_options{{options.c, options.tolerance, options.shrinking},
                                 options.probability,
                                 options.memory / 2 / static_cast<std::size_t>(threads),
                                 cpu};
  auto pairs = train_all(kernel, rows, pair_options, threads);
  return Svm(kernel, problem.dimensions(), std::move(classes), std::move(pairs));
}

}  // namespace wajah::svm
