// P-Net with random weights whose maps neither die out nor grow from layer to layer.
#pragma once

#include <wajah/weights.hpp>

#include <random>
#include <utility>
#include <vector>

#include "layers/compare.hpp"

namespace wajah {

inline Weights random_pnet(std::mt19937& random) {
  Weights::Builder builder("random P-Net");
  const auto add = [&](const char* name, std::vector<std::int64_t> shape, float scale) {
    std::size_t size = 1;
    for (const std::int64_t n : shape) size *= static_cast<std::size_t>(n);
    builder.add(name, shape, random_numbers(random, size, scale));
  };
  add("conv1/weights", {3, 3, 3, 10}, 0.4F), add("conv1/biases", {10}, 0.5F), add("PReLU1/alpha", {10}, 2);
  add("conv2/weights", {3, 3, 10, 16}, 0.2F), add("conv2/biases", {16}, 0.5F), add("PReLU2/alpha", {16}, 1);
  add("conv3/weights", {3, 3, 16, 32}, 0.15F), add("conv3/biases", {32}, 0.5F), add("PReLU3/alpha", {32}, 1);
  add("conv4-1/weights", {1, 1, 32, 2}, 0.3F), add("conv4-1/biases", {2}, 0.5F);
  add("conv4-2/weights", {1, 1, 32, 4}, 0.3F), add("conv4-2/biases", {4}, 0.5F);
  return std::move(builder).build();
}

}  // namespace wajah
