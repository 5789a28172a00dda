// How alike two faces are.
#pragma once

#include <array>
#include <cstddef>
#include <numeric>
#include <span>

namespace wajah {

// The cosine of two embeddings of unit length and one width: their inner product, in eight float sums side by side,
// because the compiler may not reorder one long sum into vector registers.
[[nodiscard]] inline double cosine(std::span<const float> a, std::span<const float> b) {
  std::array<float, 8> sums{};
  std::size_t i = 0;
  for (; i + sums.size() <= a.size(); i += sums.size()) {
    for (std::size_t lane = 0; lane < sums.size(); ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  for (; i < a.size(); ++i) sums[0] += a[i] * b[i];
  return static_cast<double>(std::accumulate(sums.begin(), sums.end(), 0.0F));
}

}  // namespace wajah
