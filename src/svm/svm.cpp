#include <wajah/svm/svm.hpp>

#include "weighted_sum.hpp"

#include <wajah/error.hpp>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace wajah::svm {
namespace {

std::size_t row_count(const ClassVectors& c, std::size_t dimensions) {
  return dimensions == 0 ? 0 : c.rows.size() / dimensions;
}

// Removes the elements, each `width` values long, that are not kept.
template <class T>
void keep_only(std::vector<T>& values, const std::vector<bool>& keep, std::size_t width) {
  auto out = values.begin();
  for (std::size_t r = 0; r < keep.size(); ++r) {
    if (!keep[r]) continue;
    const auto from = values.begin() + static_cast<std::ptrdiff_t>(r * width);
    out = std::copy_n(from, width, out);
  }
  values.erase(out, values.end());
}

bool finite(const Pair& pair) {
  const auto is_finite = [](double v) { return std::isfinite(v); };
  return is_finite(pair.rho) && std::all_of(pair.first.begin(), pair.first.end(), is_finite) &&
         std::all_of(pair.second.begin(), pair.second.end(), is_finite) &&
         (!pair.sigmoid || (is_finite(pair.sigmoid->a) && is_finite(pair.sigmoid->b)));
}

// Calls f(i, j, index) for every pair of k classes in libsvm's order.
template <class F>
void for_each_pair(std::size_t k, F f) {
  std::size_t index = 0;
  for (std::size_t i = 0; i < k; ++i)
    for (std::size_t j = i + 1; j < k; ++j) f(i, j, index++);
}

}  // namespace

Svm::Svm(const Kernel& kernel, std::size_t dimensions, std::vector<ClassVectors> classes, std::vector<Pair> pairs)
    : kernel_(kernel), dimensions_(dimensions), pairs_(std::move(pairs)) {
  check_parts(classes);
  const auto used = used_rows(classes);
  const std::size_t k = classes.size();
  for_each_pair(k, [&](std::size_t i, std::size_t j, std::size_t p) {
    keep_only(pairs_[p].first, used[i], 1);
    keep_only(pairs_[p].second, used[j], 1);
  });
  first_.push_back(0);
  std::size_t values = 0;
  for (const auto& c : classes) values += c.rows.size();
  vectors_.reserve(values);
  for (std::size_t c = 0; c < k; ++c) {
    labels_.push_back(classes[c].label);
    keep_only(classes[c].rows, used[c], dimensions_);
    vectors_.insert(vectors_.end(), classes[c].rows.begin(), classes[c].rows.end());
    first_.push_back(first_.back() + row_count(classes[c], dimensions_));
    classes[c].rows = {};
  }
}

void Svm::check_parts(std::span<const ClassVectors> classes) const {
  const std::size_t k = classes.size();
  if (k == 0) fail(ErrorKind::model, "svm: no class, expected at least 1");
  if (kernel_.kind == KernelKind::rbf && !(kernel_.gamma > 0 && std::isfinite(kernel_.gamma)))
    fail(ErrorKind::model, "svm: gamma {} of an rbf kernel, expected a number above 0", kernel_.gamma);
  if (pairs_.size() != k * (k - 1) / 2)
    fail(ErrorKind::model, "svm: {} pairs, expected {} for {} classes", pairs_.size(), k * (k - 1) / 2, k);
  std::set<int> labels;
  for (const auto& c : classes) {
    if (!labels.insert(c.label).second)
      fail(ErrorKind::model, "svm: label {} twice, expected every label once", c.label);
    if (c.rows.size() != row_count(c, dimensions_) * dimensions_)
      fail(ErrorKind::model, "svm: {} values in the rows of label {}, expected a multiple of {}", c.rows.size(),
           c.label, dimensions_);
    if (!std::all_of(c.rows.begin(), c.rows.end(), [](float v) { return std::isfinite(v); }))
      fail(ErrorKind::model, "svm: a value in the rows of label {} is not finite", c.label);
  }
  for_each_pair(k, [&](std::size_t i, std::size_t j, std::size_t p) {
    const std::size_t m = row_count(classes[i], dimensions_), n = row_count(classes[j], dimensions_);
    const Pair& pair = pairs_[p];
    if (pair.first.size() != m || pair.second.size() != n)
      fail(ErrorKind::model, "svm: {} and {} coefficients for labels {} and {}, expected {} and {}", pair.first.size(),
           pair.second.size(), classes[i].label, classes[j].label, m, n);
    if (!finite(pair))
      fail(ErrorKind::model, "svm: a number for labels {} and {} is not finite", classes[i].label, classes[j].label);
    if (pair.sigmoid.has_value() != pairs_[0].sigmoid.has_value())
      fail(ErrorKind::model, "svm: a sigmoid for some pairs only, expected one for all or none");
  });
}

std::vector<std::vector<bool>> Svm::used_rows(std::span<const ClassVectors> classes) const {
  std::vector<std::vector<bool>> used;
  for (const auto& c : classes) used.emplace_back(row_count(c, dimensions_), false);
  for_each_pair(classes.size(), [&](std::size_t i, std::size_t j, std::size_t p) {
    for (std::size_t t = 0; t < used[i].size(); ++t)
      if (pairs_[p].first[t] != 0) used[i][t] = true;
    for (std::size_t t = 0; t < used[j].size(); ++t)
      if (pairs_[p].second[t] != 0) used[j][t] = true;
  });
  return used;
}

bool Svm::has_probabilities() const { return pairs_.empty() || pairs_.front().sigmoid.has_value(); }

std::size_t Svm::unconverged() const {
  return static_cast<std::size_t>(
      std::count_if(pairs_.begin(), pairs_.end(), [](const Pair& p) { return !p.converged; }));
}

void Svm::check_decisions(std::span<const double> decision_values) const {
  if (decision_values.size() != pairs_.size())
    fail(ErrorKind::input, "decision values: {} of them, expected {} for {} classes", decision_values.size(),
         pairs_.size(), labels_.size());
}

std::vector<double> Svm::decision_values(std::span<const float> x) const {
  check_row(x, dimensions_ == 0 ? x.size() : dimensions_);
  std::vector<double> values(vectors());
  for (std::size_t t = 0; t < values.size(); ++t) {
    values[t] = kernel_(vector(t).data(), x.data(), dimensions_);
    if (!std::isfinite(values[t]))
      fail(ErrorKind::input, "features: kernel with support vector {} is {}, expected a finite number; scale them down",
           t, values[t]);
  }
  std::vector<double> decisions(pairs_.size());
  for_each_pair(labels_.size(), [&](std::size_t i, std::size_t j, std::size_t p) {
    const Pair& pair = pairs_[p];
    decisions[p] = weighted_sum(pair.first, values.data() + first_[i]) +
                   weighted_sum(pair.second, values.data() + first_[j]) - pair.rho;
  });
  return decisions;
}

std::vector<double> Svm::probabilities(std::span<const float> x) const { return probabilities_of(decision_values(x)); }

std::vector<double> Svm::probabilities_of(std::span<const double> decision_values) const {
  constexpr double least = 1e-7;  // libsvm's: coupling divides by products of these
  check_decisions(decision_values);
  if (!has_probabilities())
    fail(ErrorKind::model, "svm: trained without probabilities, expected a model trained with them; train it again");
  const std::size_t k = labels_.size();
  std::vector<double> pairwise(k * k, 0.0);
  for_each_pair(k, [&](std::size_t i, std::size_t j, std::size_t p) {
    const double first = std::clamp((*pairs_[p].sigmoid)(decision_values[p]), least, 1 - least);
    pairwise[i * k + j] = first;
    pairwise[j * k + i] = 1 - first;
  });
  return couple(pairwise, k);
}

int Svm::predict(std::span<const float> x) const { return vote(decision_values(x)); }

int Svm::vote(std::span<const double> decision_values) const {
  check_decisions(decision_values);
  std::vector<int> votes(labels_.size());
  for_each_pair(labels_.size(),
                [&](std::size_t i, std::size_t j, std::size_t p) { ++votes[decision_values[p] > 0 ? i : j]; });
  const auto most = std::max_element(votes.begin(), votes.end());  // the first of equals
  return labels_[static_cast<std::size_t>(most - votes.begin())];
}

}  // namespace wajah::svm
