// The kernel matrix of one binary problem as its solver sees it: rows on demand, and a permutation the solver may
// change.
#pragma once

#include <wajah/svm/kernel.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace wajah::svm {

// A symmetric n x n matrix of kernel values. A solver moves the variables it has finished with to the end (shrinking),
// so that a row's first `length` values are all it needs; the matrix follows with swap(). Not for use by two threads.
class KernelMatrix {
 public:
  virtual ~KernelMatrix() = default;
  [[nodiscard]] virtual std::size_t size() const = 0;
  // The first `length` values of row `index`; valid until swap() or until two other rows have been asked for.
  [[nodiscard]] virtual const float* row(std::size_t index, std::size_t length) = 0;
  [[nodiscard]] virtual double diagonal(std::size_t index) const = 0;
  // Exchanges two variables: rows and columns i and j.
  virtual void swap(std::size_t i, std::size_t j) = 0;
};

// All n * n values in memory: the fast one, for the small problems that faces give.
class GramMatrix final : public KernelMatrix {
 public:
  // Needs values.size() == n * n, row-major and symmetric; throws Error(input) otherwise (symmetry is not checked).
  GramMatrix(std::vector<float> values, std::size_t n);

  [[nodiscard]] std::size_t size() const override { return order_.size(); }
  [[nodiscard]] const float* row(std::size_t index, std::size_t) override { return stored(order_[index]); }
  [[nodiscard]] double diagonal(std::size_t index) const override {
    return static_cast<double>(stored(order_[index])[index]);
  }
  void swap(std::size_t i, std::size_t j) override;

 private:
  [[nodiscard]] const float* stored(std::size_t row) const { return values_.data() + row * order_.size(); }

  std::vector<float> values_;
  std::vector<std::size_t> order_;  // rows stay where they are and are found through this; columns do move
};

// Rows computed when they are asked for, the least recently used dropped: for problems whose matrix would not fit.
class RowCache final : public KernelMatrix {
 public:
  // Needs rows of d values each, which must outlive the cache, and at most `bytes` for values (two rows always fit).
  RowCache(const Kernel& kernel, std::vector<const float*> rows, std::size_t d, std::size_t bytes);

  [[nodiscard]] std::size_t size() const override { return rows_.size(); }
  [[nodiscard]] const float* row(std::size_t index, std::size_t length) override;
  [[nodiscard]] double diagonal(std::size_t index) const override { return diagonal_[index]; }
  void swap(std::size_t i, std::size_t j) override;

 private:
  struct Line {
    std::vector<float> values;  // of the first values.size() variables
    std::uint64_t used = 0;     // when it was last asked for
  };
  void make_room(std::size_t needed);
  void drop(Line& line);

  Kernel kernel_;
  std::vector<const float*> rows_;
  std::size_t dimensions_;
  std::vector<double> diagonal_;
  std::vector<Line> lines_;
  std::size_t room_;  // values that may still be stored
  std::uint64_t clock_ = 0;
};

}  // namespace wajah::svm
