// One-vs-rest linear machines: one weight vector a class, for more people than pairs can be kept for.
#pragma once

#include <wajah/svm/problem.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace wajah::svm {

// What a point inside the margin costs, m = 1 - sign f(x) > 0: m^2 (liblinear's solver 1, its default and ours: the
// dual is strictly convex and needs fewer passes) or m (solver 3, the loss of C-SVC).
enum class Loss { squared_hinge, hinge };

struct OneVsRestOptions {
  double c = 1;
  Loss loss = Loss::squared_hinge;
  double tolerance = 0.1;  // range of projected gradients left, liblinear's -e for these solvers
  double bias = 1;         // value of a feature added to every row, regularised like the others; 0: no bias
  int max_passes = 1000;   // over the rows, a class
  int threads = 1;         // 0: all; classes are spread over them, and the result is the same for any number
};

// Immutable, so any number of threads may ask it. Of ONE class there is no rest: its score is 0 and it is predicted for
// everything. Two classes get a machine each, so scores always has one value a class.
class OneVsRest {
 public:
  // Minimises 1/2 |w|^2 + c * sum of losses for every label against all others. Throws Error(usage) for options out of
  // range. unconverged() tells of machines stopped at max_passes.
  // Method: Hsieh, Chang, Lin, Keerthi, Sundararajan, "A dual coordinate descent method for large-scale linear SVM",
  // ICML 2008, with its shrinking (algorithm 3); rows are visited in an order drawn from a generator of fixed seed.
  [[nodiscard]] static OneVsRest train(const Problem& problem, const OneVsRestOptions& options);

  [[nodiscard]] std::span<const int> labels() const { return labels_; }  // in the order of Problem::groups
  [[nodiscard]] std::size_t dimensions() const { return dimensions_; }
  [[nodiscard]] std::size_t unconverged() const { return unconverged_; }  // machines stopped at max_passes
  [[nodiscard]] std::span<const float> weights(std::size_t c) const {
    return {weights_.data() + c * dimensions_, dimensions_};
  }
  [[nodiscard]] double intercept(std::size_t c) const { return intercepts_[c]; }

  // weights(c).x + intercept(c) for every class. Needs dimensions() finite values; throws Error(input) otherwise.
  [[nodiscard]] std::vector<double> scores(std::span<const float> x) const;

  // The label of the largest score, the first of equals.
  [[nodiscard]] int predict(std::span<const float> x) const;

 private:
  OneVsRest() = default;

  std::size_t dimensions_ = 0, unconverged_ = 0;
  std::vector<int> labels_;
  std::vector<float> weights_;  // (labels().size(), dimensions())
  std::vector<double> intercepts_;
};

}  // namespace wajah::svm
