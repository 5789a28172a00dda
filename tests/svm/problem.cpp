#include <wajah/svm/problem.hpp>

#include <wajah/error.hpp>

#include "svm/data.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace wajah;
using namespace wajah::svm;
using namespace wajah::svm::test;

namespace {

std::vector<int> group_labels(const std::vector<int>& y) {
  const std::vector<float> x(y.size());
  std::vector<int> labels;
  for (const Group& group : Problem(rows_of(x, 1), y).groups()) labels.push_back(group.label);
  return labels;
}

}  // namespace

TEST_CASE("groups come in libsvm's order") {
  CHECK(group_labels({3, 1, 3, 2, 1}) == std::vector<int>{3, 1, 2});
  CHECK(group_labels({-1, 1}) == std::vector<int>{1, -1});  // only these two are ever exchanged
  CHECK(group_labels({1, -1}) == std::vector<int>{1, -1});
  CHECK(group_labels({-2, 1}) == std::vector<int>{-2, 1});
  CHECK(group_labels({-1, 1, 0}) == std::vector<int>{-1, 1, 0});
  CHECK(group_labels({7}) == std::vector<int>{7});

  const std::vector<float> x(5);
  const std::vector<int> y{3, 1, 3, 2, 1};
  const auto groups = Problem(rows_of(x, 1), y).groups();
  CHECK(groups[0].rows == std::vector<std::size_t>{0, 2});
  CHECK(groups[1].rows == std::vector<std::size_t>{1, 4});
}

TEST_CASE("a problem reads rows through the stride of its view") {
  const std::vector<float> x{1, 2, 9, 3, 4, 9};
  const std::vector<int> y{0, 1};
  const Problem problem(ConstView<float>(x.data(), Shape{2, 1, 1, 2}, 3), y);
  CHECK(problem.row(1)[0] == 3);
  CHECK(problem.row(1)[1] == 4);
}

TEST_CASE("a problem that cannot be learnt from is refused by what is wrong with it") {
  const std::vector<float> x(6);
  const std::vector<int> y(3), none, two(2);
  CHECK_THROWS_WITH_AS(Problem(rows_of({}, 2), none), "features: 0 rows, expected at least 1 to learn from", Error);
  CHECK_THROWS_WITH_AS(Problem(rows_of(x, 2), two), "labels: 2 of them, expected 3, one for every row of features",
                       Error);
  CHECK_THROWS_WITH_AS((void)rows_of(x, 0), "features: rows of 0 values, expected at least 1", Error);
  CHECK_THROWS_WITH_AS((void)rows_of(x, 4), "features: 6 values, expected a multiple of 4, the values of a row", Error);
  CHECK_THROWS_WITH_AS(Problem(ConstView<float>(x.data(), Shape{3, 2, 1, 1}), y),
                       "features: shape (3, 2, 1, 1), expected (rows, 1, 1, columns) with 1 column or more", Error);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    std::vector<float> values(6);
    values[5] = bad;
    const std::string text = std::isnan(bad) ? "nan" : bad > 0 ? "inf" : "-inf";
    const std::string message =
        "features: row 2, column 1 is " + text + ", expected a finite number; leave that row out";
    CHECK_THROWS_WITH_AS(Problem(rows_of(values, 2), y), message.c_str(), Error);
  }
}
