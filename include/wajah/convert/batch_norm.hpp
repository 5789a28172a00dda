// Batch-norm folding: a convolution followed by an affine map per channel is one convolution.
#pragma once

#include <wajah/weights.hpp>

#include <span>
#include <string_view>
#include <vector>

namespace wajah {

// y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, per channel (Ioffe and Szegedy 2015). Every span has one
// value a channel; an empty gamma is 1.
struct BatchNorm {
  std::span<const float> gamma, beta, mean, variance;
  double epsilon = 0.001;
};

struct Folded {
  std::vector<float> weights, biases;
};

// The weights and biases of conv-then-norm. `weights` has the channels innermost, `biases` may be empty (0). Computed
// in double, rounded once. Throws Error (model) naming `scope` where variance + epsilon is not positive.
[[nodiscard]] Folded fold(std::span<const float> weights, std::span<const float> biases, const BatchNorm& norm,
                          std::string_view scope);

}  // namespace wajah
