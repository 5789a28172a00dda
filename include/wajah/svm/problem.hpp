// What a classifier is trained on: rows of features and one label a row.
#pragma once

#include <wajah/shape.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace wajah::svm {

// Views dense row-major values as n rows of d features: a View of shape (n, 1, 1, d), the shape every part of svm
// takes. Needs d > 0 and values.size() a multiple of d; throws Error(input) otherwise, or when n or d does not fit an
// int.
[[nodiscard]] ConstView<float> rows_of(std::span<const float> values, std::size_t dimensions);

// Throws Error(input) unless x has `dimensions` values, all of them finite.
void check_row(std::span<const float> x, std::size_t dimensions);

// The rows of a problem that carry one label, in the order in which they came.
struct Group {
  int label = 0;
  std::vector<std::size_t> rows;
};

// Features and labels that somebody else owns; both must outlive the problem.
class Problem {
 public:
  // Needs x of shape (n, 1, 1, d) with n, d >= 1, n labels, and every value finite.
  // Throws Error(input) naming what came and what was expected; for a value also its row and column, counted from 0.
  Problem(ConstView<float> x, std::span<const int> labels);

  [[nodiscard]] std::size_t rows() const { return labels_.size(); }
  [[nodiscard]] std::size_t dimensions() const { return static_cast<std::size_t>(x_.shape.c); }
  [[nodiscard]] std::span<const float> row(std::size_t index) const {
    return {x_.pixel(static_cast<int>(index), 0, 0), dimensions()};
  }
  [[nodiscard]] std::span<const int> labels() const { return labels_; }

  // One group a distinct label, in libsvm's order: by first appearance, except that of the two labels -1 and +1 the
  // positive one comes first (so that a binary problem's decision value is positive for +1).
  [[nodiscard]] std::vector<Group> groups() const;

 private:
  ConstView<float> x_;
  std::span<const int> labels_;
};

}  // namespace wajah::svm
