// One pair of classes with few rows: its kernel matrix, and machines trained on it by the kernel solve_pair.
#pragma once

#include <wajah/cpu.hpp>
#include <wajah/svm/pair.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace wajah::svm {

class SmallProblem {
 public:
  // Whether a pair of `rows` rows is small enough: without shrinking every step looks at all of them, and the matrix is
  // kept whole in `memory` bytes.
  [[nodiscard]] static bool fits(std::size_t rows, std::size_t memory);

  SmallProblem(const Cpu& cpu, const Kernel& kernel, const ClassRows& first, const ClassRows& second);

  [[nodiscard]] std::size_t rows() const { return signs_.size(); }
  [[nodiscard]] std::span<const int> signs() const { return signs_; }

  // solve() of solver.hpp.
  [[nodiscard]] Solution solve(const SolverOptions& options);

  // After solve(): trains without the rows that `fold` of `folds` judges, every row t with t mod folds = fold, and
  // writes their f(x_t) to decisions[t]. Both classes must be among the other rows.
  void judge(const SolverOptions& options, std::size_t fold, std::size_t folds, std::span<double> decisions);

 private:
  void fill(const Kernel& kernel, const ClassRows& first, const ClassRows& second);
  [[nodiscard]] Solution go_on(const SolverOptions& options);
  void leave_out(std::size_t fold, std::size_t folds, double c);
  void move_to(std::size_t t, double value);
  [[nodiscard]] double rho() const;
  [[nodiscard]] double* array(std::size_t index) { return arrays_.data() + index * padded_; }
  [[nodiscard]] const double* array(std::size_t index) const { return arrays_.data() + index * padded_; }

  Cpu cpu_;
  std::vector<int> signs_;
  std::size_t padded_;          // rows, up to a whole number of vectors
  std::vector<float> gram_;     // (rows, padded_), 0 beyond rows
  std::vector<double> arrays_;  // what solve_pair works on
};

}  // namespace wajah::svm
