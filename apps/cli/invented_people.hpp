// Embeddings of people who do not exist, for benchmarks: a random direction a person, and photos scattered around it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace wajah::cli {

class InventedPeople {
 public:
  // The same numbers for the same seed, on every machine. Photos of one person have a cosine of about 0.67, those of
  // two people one around 0, as an embedder gives.
  InventedPeople(std::size_t people, std::size_t photos, std::size_t dimensions, std::uint64_t seed);

  [[nodiscard]] std::span<const float> rows() const { return rows_; }  // (people * photos, dimensions), of length 1
  [[nodiscard]] std::span<const int> labels() const { return labels_; }

 private:
  std::vector<float> rows_;
  std::vector<int> labels_;
};

}  // namespace wajah::cli
