#include <wajah/svm/kernel_matrix.hpp>

#include <wajah/error.hpp>

#include <algorithm>
#include <numeric>
#include <utility>

namespace wajah::svm {

GramMatrix::GramMatrix(std::vector<float> values, std::size_t n) : values_(std::move(values)) {
  // Divided, because n * n may wrap.
  if (n == 0 || values_.size() % n != 0 || values_.size() / n != n)
    fail(ErrorKind::input, "kernel matrix: {} values, expected {} x {}", values_.size(), n, n);
  order_.resize(n);
  std::iota(order_.begin(), order_.end(), std::size_t{0});
}

void GramMatrix::swap(std::size_t i, std::size_t j) {
  if (i == j) return;
  const std::size_t n = size();
  for (std::size_t r = 0; r < n; ++r) std::swap(values_[r * n + i], values_[r * n + j]);
  std::swap(order_[i], order_[j]);
}

RowCache::RowCache(const Kernel& kernel, std::vector<const float*> rows, std::size_t d, std::size_t bytes)
    : kernel_(kernel),
      rows_(std::move(rows)),
      dimensions_(d),
      lines_(rows_.size()),
      room_(std::max(bytes / sizeof(float), 2 * rows_.size())) {
  diagonal_.reserve(rows_.size());
  // Through float like every other value, so that two equal rows have a distance of exactly 0.
  for (const float* x : rows_) diagonal_.push_back(static_cast<double>(static_cast<float>(kernel_(x, x, d))));
}

const float* RowCache::row(std::size_t index, std::size_t length) {
  Line& line = lines_[index];
  line.used = ++clock_;
  const std::size_t have = line.values.size();
  if (have < length) {
    make_room(length - have);
    line.values.reserve(length);
    for (std::size_t t = have; t < length; ++t)
      line.values.push_back(static_cast<float>(kernel_(rows_[index], rows_[t], dimensions_)));
    room_ -= length - have;
  }
  return line.values.data();
}

void RowCache::swap(std::size_t i, std::size_t j) {
  if (i == j) return;
  const auto [low, high] = std::minmax(i, j);
  for (Line& line : lines_) {
    if (line.values.size() > high)
      std::swap(line.values[low], line.values[high]);
    else if (line.values.size() > low)
      drop(line);  // its value for `high` is not known
  }
  std::swap(rows_[i], rows_[j]);
  std::swap(diagonal_[i], diagonal_[j]);
  std::swap(lines_[i], lines_[j]);
}

// The line being filled and the one before it carry the two latest times, and two full rows always fit, so neither
// goes.
void RowCache::make_room(std::size_t needed) {
  while (room_ < needed) {
    Line* oldest = nullptr;
    for (Line& line : lines_)
      if (!line.values.empty() && (oldest == nullptr || line.used < oldest->used)) oldest = &line;
    drop(*oldest);
  }
}

void RowCache::drop(Line& line) {
  room_ += line.values.size();
  line.values = {};
}

}  // namespace wajah::svm
