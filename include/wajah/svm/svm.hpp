// Svm: a support-vector machine for any number of classes, one-vs-one, that answers as libsvm's C-SVC does.
#pragma once

#include <wajah/svm/pair.hpp>
#include <wajah/svm/problem.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace wajah::svm {

struct SvmOptions {
  KernelKind kernel = KernelKind::linear;
  double gamma = 0;  // rbf; 0: 1 / dimensions, libsvm's default
  double c = 1;
  double tolerance = 1e-3;
  bool probability = false;  // also fit the sigmoids that probabilities() needs: about five times the work
  bool shrinking = true;
  int threads = 1;  // 0: all; pairs are spread over them, and the result is the same for any number
  std::size_t memory = std::size_t{512} << 20;  // bytes for kernel values, all threads together
  std::optional<Isa> isa{};  // nothing: chosen_isa(); changes the time, and the result by less than the tolerance
};

// The rows of one class as an Svm is put together from them: dense, row-major.
struct ClassVectors {
  int label = 0;
  std::vector<float> rows;
};

// The kernel that options ask for. Throws Error(usage) unless gamma is 0 or more and finite.
[[nodiscard]] Kernel checked_kernel(const SvmOptions& options, std::size_t dimensions);

// The rows of a problem class by class, in the order of Problem::groups().
[[nodiscard]] std::vector<ClassVectors> classes_of(const Problem& problem);

// Where pair (i, j), i < j, of k classes stands in libsvm's order (0,1), (0,2), ..., (0,k-1), (1,2), ...
[[nodiscard]] constexpr std::size_t pair_index(std::size_t i, std::size_t j, std::size_t k) {
  return i * (2 * k - i - 1) / 2 + (j - i - 1);
}

// Immutable, so any number of threads may ask it. A machine of ONE class is whole: it has no pairs and no decision
// values, predicts that class for everything, with probability 1.
class Svm {
 public:
  // Trains one pair machine for every two labels of the problem. Throws Error(usage) for options out of range and
  // Error(input) where kernel values overflow a float. unconverged() tells of pairs stopped at the iteration limit.
  [[nodiscard]] static Svm train(const Problem& problem, const SvmOptions& options);

  // Puts a machine together from classes in the order of its labels and their k (k - 1) / 2 pairs in that of
  // pair_index; rows that no pair uses are left out. dimensions 0: unknown, allowed only without rows. Throws
  // Error(model) when there is no class, labels repeat, sizes do not fit each other, a number is not finite, gamma of
  // an rbf kernel is not positive, or only some pairs have sigmoids.
  Svm(const Kernel& kernel, std::size_t dimensions, std::vector<ClassVectors> classes, std::vector<Pair> pairs);

  // The labels in the order of every result: by first appearance (see Problem::groups).
  [[nodiscard]] std::span<const int> labels() const { return labels_; }
  [[nodiscard]] const Kernel& kernel() const { return kernel_; }
  [[nodiscard]] std::size_t dimensions() const { return dimensions_; }
  [[nodiscard]] std::span<const Pair> pairs() const { return pairs_; }
  [[nodiscard]] bool has_probabilities() const;  // true for one class
  [[nodiscard]] std::size_t unconverged() const;

  // The support vectors, grouped by class in the order of labels(); those of class c start at first_vector(c) and end
  // before first_vector(c + 1), and pairs hold their coefficients in the same order.
  [[nodiscard]] std::size_t vectors() const { return first_.back(); }
  [[nodiscard]] std::size_t first_vector(std::size_t c) const { return first_[c]; }
  [[nodiscard]] std::span<const float> vector(std::size_t index) const {
    return {vectors_.data() + index * dimensions_, dimensions_};
  }

  // k (k - 1) / 2 values in libsvm's order and sign: that of pair (i, j) is above 0 where class i is preferred to j.
  // Needs dimensions() finite values; throws Error(input) otherwise, as everything below that takes x.
  [[nodiscard]] std::vector<double> decision_values(std::span<const float> x) const;

  // k probabilities with sum 1: the pairs' sigmoids, kept within [1e-7, 1 - 1e-7], coupled (see couple()).
  // Throws Error(model) when trained without probability.
  [[nodiscard]] std::vector<double> probabilities(std::span<const float> x) const;

  // The label with most pairs in its favour, the first of equals, as libsvm votes. The label of the largest probability
  // may differ from it.
  [[nodiscard]] int predict(std::span<const float> x) const;

  // The same two from decision values already at hand; need k (k - 1) / 2 of them, throw Error(input) otherwise.
  [[nodiscard]] std::vector<double> probabilities_of(std::span<const double> decision_values) const;
  [[nodiscard]] int vote(std::span<const double> decision_values) const;

 private:
  void check_parts(std::span<const ClassVectors> classes) const;
  void check_decisions(std::span<const double> decision_values) const;
  [[nodiscard]] std::vector<std::vector<bool>> used_rows(std::span<const ClassVectors> classes) const;

  Kernel kernel_;
  std::size_t dimensions_;
  std::vector<int> labels_;
  std::vector<std::size_t> first_;  // k + 1
  std::vector<float> vectors_;      // (vectors(), dimensions())
  std::vector<Pair> pairs_;
};

}  // namespace wajah::svm
