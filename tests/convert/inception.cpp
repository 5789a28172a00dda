// Frozen Inception-ResNet-v1 graphs and batch-norm folding.
#include <doctest/doctest.h>
#include <wajah/convert/batch_norm.hpp>
#include <wajah/convert/inception.hpp>

#include <array>
#include <cmath>

#include "convert/graphs.hpp"

namespace wajah {
namespace {

// A graph with the layers of the network that matter to the conversion, small, and as many others as it has.
Weights::Builder small_graph(int others = 130) {
  Weights::Builder graph("graph.pb");
  const auto layer = [&](const std::string& scope, std::vector<std::int64_t> shape) {
    const std::int64_t out = shape.back();
    graph.add(scope + "/weights", shape, counting(*element_count(shape), 1));
    graph.add(scope + "/BatchNorm/beta", {out}, counting(static_cast<std::size_t>(out), 3));
    graph.add(scope + "/BatchNorm/moving_mean", {out}, counting(static_cast<std::size_t>(out), -2));
    graph.add(scope + "/BatchNorm/moving_variance", {out}, counting(static_cast<std::size_t>(out), 0.25F));
  };
  layer("InceptionResnetV1/Conv2d_1a_3x3", {3, 3, 3, 2});
  layer("InceptionResnetV1/Bottleneck", {4, 2});
  graph.add("InceptionResnetV1/Block8/Conv2d_1x1/weights", {1, 1, 2, 3}, counting(6));
  graph.add("InceptionResnetV1/Block8/Conv2d_1x1/biases", {3}, counting(3, 5));
  graph.add("InceptionResnetV1/Block8/mul/x", {}, counting(1));
  graph.add("Logits/weights", {1}, counting(1));
  for (int i = 0; i < others; ++i) layer(fmt::format("InceptionResnetV1/Conv_{}", i), {1, 1, 1, 1});
  return graph;
}

TEST_CASE("batch norm is folded, layers with biases pass unchanged") {
  const Weights weights = convert_inception_resnet_v1(small_graph().build());
  CHECK(weights.metadata().at("architecture") == "inception-resnet-v1");
  CHECK(weights.names().size() == 2 * 133);
  const Values folded = weights.get("InceptionResnetV1/Conv2d_1a_3x3/weights", {3, 3, 3, 2});
  const Values biases = weights.get("InceptionResnetV1/Conv2d_1a_3x3/biases", {2});
  for (std::size_t i = 0; i < folded.size(); ++i) {
    const double variance = i % 2 == 0 ? 0.25 : 0.375;
    CHECK(folded[i] == static_cast<float>((1 + static_cast<double>(i) / 8) / std::sqrt(variance + 0.001)));
  }
  CHECK(biases[0] == static_cast<float>(3 + 2 / std::sqrt(0.251)));
  CHECK(biases[1] == static_cast<float>(3.125 + 1.875 / std::sqrt(0.376)));
  CHECK(weights.has("InceptionResnetV1/Bottleneck/biases"));
  CHECK(weights.get("InceptionResnetV1/Block8/Conv2d_1x1/weights", {1, 1, 2, 3})[5] == 0.625F);
  CHECK(weights.get("InceptionResnetV1/Block8/Conv2d_1x1/biases", {3})[0] == 5);
}

TEST_CASE("folding is exact to one rounding, with gamma and biases too") {
  const std::array weights = {1.0F, -2.0F, 3.0F, 0.1F};
  const std::array biases = {0.5F, -1.0F}, gamma = {2.0F, 3.0F}, beta = {1.0F, 0.0F}, mean = {0.25F, 0.5F},
                   variance = {4.0F, 1e-4F};
  const Folded folded = fold(weights, biases, {gamma, beta, mean, variance, 1e-5}, "layer");
  const double scale[2] = {2 / std::sqrt(4 + 1e-5), 3 / std::sqrt(static_cast<double>(1e-4F) + 1e-5)};
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(folded.weights[i] == static_cast<float>(static_cast<double>(weights[i]) * scale[i % 2]));
  CHECK(folded.biases[0] == static_cast<float>(0.25 * scale[0] + 1));
  CHECK(folded.biases[1] == static_cast<float>(-1.5 * scale[1]));
  const std::array negative = {1.0F, -1.0F};
  check_refused("variance", "'layer': the batch norm's variance is -1 in channel 1, expected a positive number", [&] {
    static_cast<void>(fold(weights, biases, {gamma, beta, mean, negative, 1e-5}, "layer"));
  });
}

TEST_CASE("graphs of other networks and incomplete ones are refused") {
  const auto refused = [](const char* message, Weights::Builder graph) {
    const Weights weights = std::move(graph).build();
    check_refused(message, message, [&] { static_cast<void>(convert_inception_resnet_v1(weights)); });
  };
  Weights::Builder other("other.pb");
  other.add("MobilenetV1/Conv2d_0/weights", {3, 3, 3, 32}, counting(864));
  refused("other.pb: has no 'InceptionResnetV1/Conv2d_1a_3x3/weights'", std::move(other));
  refused("has 132 layers with weights, expected Inception-ResNet-v1's 133; is the file complete?", small_graph(129));

  Weights::Builder half = small_graph(129);
  half.add("InceptionResnetV1/Half/weights", {1, 1, 1, 2}, counting(2));
  half.add("InceptionResnetV1/Half/BatchNorm/beta", {2}, counting(2));
  refused("no tensor 'InceptionResnetV1/Half/BatchNorm/moving_mean' of shape [2]", std::move(half));

  Weights::Builder bare = small_graph(129);
  bare.add("InceptionResnetV1/Bare/weights", {1, 1, 1, 2}, counting(2));
  refused("no tensor 'InceptionResnetV1/Bare/biases' of shape [2]", std::move(bare));

  Weights::Builder wrong = small_graph(129);
  wrong.add("InceptionResnetV1/Wrong/weights", {1, 1, 1, 2}, counting(2));
  wrong.add("InceptionResnetV1/Wrong/BatchNorm/beta", {3}, counting(3));
  refused("tensor 'InceptionResnetV1/Wrong/BatchNorm/beta' has shape [3], expected [2]", std::move(wrong));

  Weights::Builder vector = small_graph(129);
  vector.add("InceptionResnetV1/Vector/weights", {2}, counting(2));
  refused("tensor 'InceptionResnetV1/Vector/weights' has shape [2], expected [kh, kw, in, out] or [in, out]",
          std::move(vector));
}

}  // namespace
}  // namespace wajah
