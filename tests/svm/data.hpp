// Data for the tests of the support-vector machines.
#pragma once

#include <wajah/svm/problem.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace wajah::svm::test {

struct Data {
  std::size_t d = 1;
  std::vector<float> x;
  std::vector<int> y;

  [[nodiscard]] Problem problem() const { return {rows_of(x, d), y}; }
  [[nodiscard]] std::span<const float> row(std::size_t r) const { return {x.data() + r * d, d}; }
  [[nodiscard]] std::size_t rows() const { return y.size(); }
};

// Rows of noise around one centre a label; the larger `noise`, the more the classes overlap (centres are ~1 apart).
inline Data blobs(std::span<const int> labels, std::size_t per_label, std::size_t d, double noise, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, 1.0F / std::sqrt(static_cast<float>(d)));
  Data data{d, {}, {}};
  for (const int label : labels) {
    std::vector<float> centre(d);
    for (float& v : centre) v = normal(random);
    for (std::size_t r = 0; r < per_label; ++r) {
      for (const float c : centre) data.x.push_back(c + static_cast<float>(noise) * normal(random));
      data.y.push_back(label);
    }
  }
  return data;
}

// Largest absolute difference; infinity when the sizes differ.
template <class A, class B>
double worst(const A& a, const B& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(difference <= most)) most = difference;  // keeps a NaN
  }
  return most;
}

// A directory that goes with its owner.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "wajah-svm-XXXXXX").string();
    path_ = mkdtemp(name.data()) == nullptr ? std::filesystem::path() : std::filesystem::path(name);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace wajah::svm::test
