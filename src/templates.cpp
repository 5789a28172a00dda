#include "templates.hpp"

#include <wajah/cosine.hpp>

#include <algorithm>
#include <cmath>

namespace wajah {
namespace {

// Of an even number the upper of the two in the middle: of three photos, two that agree outvote the third.
double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::vector<double> weights_of(std::span<const float> rows, std::size_t dimensions) {
  const std::size_t photos = rows.size() / dimensions;
  std::vector<double> weights(photos, 1.0);
  if (photos < 3) return weights;
  const auto row = [&](std::size_t i) { return rows.subspan(i * dimensions, dimensions); };
  std::vector<double> others;
  for (std::size_t i = 0; i < photos; ++i) {
    others.clear();
    for (std::size_t j = 0; j < photos; ++j) {
      if (j != i) others.push_back(cosine(row(i), row(j)));
    }
    weights[i] = std::max(median(others), 0.0);
  }
  if (std::ranges::all_of(weights, [](double w) { return w == 0; })) weights.assign(photos, 1.0);
  return weights;
}

}  // namespace

std::vector<float> make_template(std::span<const float> rows, std::size_t dimensions) {
  const std::vector<double> weights = weights_of(rows, dimensions);
  std::vector<double> sum(dimensions);
  for (std::size_t row = 0; row < weights.size(); ++row) {
    for (std::size_t i = 0; i < dimensions; ++i) {
      sum[i] += weights[row] * static_cast<double>(rows[row * dimensions + i]);
    }
  }
  double length = 0;
  for (const double v : sum) length += v * v;
  length = std::sqrt(length);
  std::vector<float> result(dimensions);
  if (length < 1e-6) return result;
  for (std::size_t i = 0; i < dimensions; ++i) result[i] = static_cast<float>(sum[i] / length);
  return result;
}

std::vector<double> similarities(std::span<const float> templates, std::span<const float> x) {
  std::vector<double> result(templates.size() / x.size());
  for (std::size_t person = 0; person < result.size(); ++person) {
    result[person] = cosine(templates.subspan(person * x.size(), x.size()), x);
  }
  return result;
}

}  // namespace wajah
