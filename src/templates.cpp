#include "templates.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace wajah {
namespace {

// Eight sums side by side, because the compiler may not reorder one long sum into vector registers.
double cosine(const float* a, const float* b, std::size_t dimensions) {
  std::array<float, 8> sums{};
  std::size_t i = 0;
  for (; i + sums.size() <= dimensions; i += sums.size()) {
    for (std::size_t lane = 0; lane < sums.size(); ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  for (; i < dimensions; ++i) sums[0] += a[i] * b[i];
  return static_cast<double>(std::accumulate(sums.begin(), sums.end(), 0.0F));
}

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
  std::vector<double> others;
  for (std::size_t i = 0; i < photos; ++i) {
    others.clear();
    for (std::size_t j = 0; j < photos; ++j) {
      if (j != i) others.push_back(cosine(&rows[i * dimensions], &rows[j * dimensions], dimensions));
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
    result[person] = cosine(&templates[person * x.size()], x.data(), x.size());
  }
  return result;
}

double margin_of(std::span<const double> similarities, std::size_t chosen) {
  if (similarities.size() == 1) return similarities[chosen];
  double other = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < similarities.size(); ++i) {
    if (i != chosen) other = std::max(other, similarities[i]);
  }
  return similarities[chosen] - other;
}

}  // namespace wajah
