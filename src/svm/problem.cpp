#include <wajah/svm/problem.hpp>

#include <wajah/error.hpp>

#include <cmath>
#include <limits>
#include <unordered_map>
#include <utility>

namespace wajah::svm {
namespace {

int checked_int(std::size_t value, const char* what) {
  if (value > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    fail(ErrorKind::input, "features: {} {}, expected at most {}", value, what, std::numeric_limits<int>::max());
  return static_cast<int>(value);
}

void check_finite(const Problem& problem) {
  for (std::size_t r = 0; r < problem.rows(); ++r) {
    const auto row = problem.row(r);
    for (std::size_t c = 0; c < row.size(); ++c)
      if (!std::isfinite(row[c]))
        fail(ErrorKind::input, "features: row {}, column {} is {}, expected a finite number; leave that row out", r, c,
             row[c]);
  }
}

}  // namespace

ConstView<float> rows_of(std::span<const float> values, std::size_t dimensions) {
  if (dimensions == 0) fail(ErrorKind::input, "features: rows of 0 values, expected at least 1");
  if (values.size() % dimensions != 0)
    fail(ErrorKind::input, "features: {} values, expected a multiple of {}, the values of a row", values.size(),
         dimensions);
  const int rows = checked_int(values.size() / dimensions, "rows");
  return {values.data(), Shape{rows, 1, 1, checked_int(dimensions, "columns")}};
}

void check_row(std::span<const float> x, std::size_t dimensions) {
  if (x.size() != dimensions)
    fail(ErrorKind::input, "features: {} values, expected {} as in training", x.size(), dimensions);
  for (std::size_t c = 0; c < x.size(); ++c)
    if (!std::isfinite(x[c])) fail(ErrorKind::input, "features: column {} is {}, expected a finite number", c, x[c]);
}

Problem::Problem(ConstView<float> x, std::span<const int> labels) : x_(x), labels_(labels) {
  const Shape s = x.shape;
  if (s.h != 1 || s.w != 1 || s.c < 1)
    fail(ErrorKind::input, "features: shape ({}, {}, {}, {}), expected (rows, 1, 1, columns) with 1 column or more",
         s.n, s.h, s.w, s.c);
  if (s.n < 1) fail(ErrorKind::input, "features: {} rows, expected at least 1 to learn from", s.n);
  if (labels.size() != static_cast<std::size_t>(s.n))
    fail(ErrorKind::input, "labels: {} of them, expected {}, one for every row of features", labels.size(), s.n);
  check_finite(*this);
}

std::vector<Group> Problem::groups() const {
  std::vector<Group> groups;
  std::unordered_map<int, std::size_t> index;
  for (std::size_t r = 0; r < rows(); ++r) {
    const auto [place, is_new] = index.try_emplace(labels_[r], groups.size());
    if (is_new) groups.push_back({labels_[r], {}});
    groups[place->second].rows.push_back(r);
  }
  if (groups.size() == 2 && groups[0].label == -1 && groups[1].label == 1) std::swap(groups[0], groups[1]);
  return groups;
}

}  // namespace wajah::svm
