#include <wajah/svm/svm.hpp>

#include "parallel.hpp"

#include <cmath>
#include <limits>
#include <utility>

namespace wajah::svm {
namespace {

Kernel checked_kernel(const SvmOptions& options, std::size_t dimensions) {
  if (!(options.gamma >= 0) || !std::isfinite(options.gamma))
    fail(ErrorKind::usage, "gamma: {}, expected a number above 0, or 0 for 1 / dimensions", options.gamma);
  return {options.kernel, options.gamma > 0 ? options.gamma : 1 / static_cast<double>(dimensions)};
}

// Rows of one class side by side: kernel values are computed class against class.
std::vector<ClassVectors> gather(const Problem& problem) {
  std::vector<ClassVectors> classes;
  for (const Group& group : problem.groups()) {
    ClassVectors c{group.label, {}};
    c.rows.reserve(group.rows.size() * problem.dimensions());
    for (const std::size_t r : group.rows) c.rows.insert(c.rows.end(), problem.row(r).begin(), problem.row(r).end());
    classes.push_back(std::move(c));
  }
  return classes;
}

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

std::vector<Pair> train_pairs(const Kernel& kernel, std::span<const ClassRows> classes, const PairOptions& options,
                              int threads) {
  std::vector<std::pair<std::size_t, std::size_t>> members;
  for (std::size_t i = 0; i < classes.size(); ++i)
    for (std::size_t j = i + 1; j < classes.size(); ++j) members.emplace_back(i, j);
  std::vector<Pair> pairs(members.size());
  for_each_index(threads, members.size(), [&](std::size_t p) {
    pairs[p] = train_pair(kernel, classes[members[p].first], classes[members[p].second], options);
  });
  return pairs;
}

}  // namespace

Svm Svm::train(const Problem& problem, const SvmOptions& options) {
  const Kernel kernel = checked_kernel(options, problem.dimensions());
  const Cpu cpu(1, options.isa);  // of one thread: pairs are what is spread
  const int threads = resolve_threads(options.threads);
  check_options(SolverOptions{options.c, options.tolerance, options.shrinking});
  std::vector<ClassVectors> classes = gather(problem);
  std::vector<ClassRows> rows;
  for (const auto& c : classes) rows.push_back({rows_of(c.rows, problem.dimensions()), {}});
  const auto grams = class_grams(cpu, kernel, rows, options.memory / 2, threads);
  for (std::size_t c = 0; c < rows.size(); ++c) rows[c].gram = grams[c];
  const PairOptions pair_options{{options.c, options.tolerance, options.shrinking},
                                 options.probability,
                                 options.memory / 2 / static_cast<std::size_t>(threads),
                                 cpu};
  auto pairs = train_pairs(kernel, rows, pair_options, threads);
  return Svm(kernel, problem.dimensions(), std::move(classes), std::move(pairs));
}

}  // namespace wajah::svm
