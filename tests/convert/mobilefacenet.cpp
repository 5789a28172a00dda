// MobileFaceNet's conversion from ONNX: layout, folding, and every way in which another network differs.
#include <doctest/doctest.h>
#include <wajah/convert/mobilefacenet.hpp>

#include <cmath>

#include "convert/mobilefacenet_model.hpp"

namespace wajah {
namespace {

Weights convert(const TemporaryFolder& folder, const ModelOptions& options) {
  return convert_mobilefacenet(read_onnx(folder.write("m.onnx", mobilefacenet_model(options))));
}

TEST_CASE("kernels get their channels last, depthwise ones have one number a channel") {
  const TemporaryFolder folder;
  const Weights weights = convert(folder, {});
  CHECK(weights.metadata().at("architecture") == "mobilefacenet");
  CHECK(weights.names().size() == 2 * 51);

  const Values first = weights.get("MobileFaceNet/conv1/weights", {3, 3, 3, 64});
  const Values depthwise = weights.get("MobileFaceNet/dw_conv/depthwise/weights", {3, 3, 64});
  for (std::size_t o : {0U, 1U, 63U}) {
    for (std::size_t k = 0; k < 9; ++k) {
      for (std::size_t i = 0; i < 3; ++i)
        CHECK(first[(k * 3 + i) * 64 + o] == static_cast<float>((o * 3 + i) * 9 + k) / 8);
      CHECK(depthwise[k * 64 + o] == 1 + static_cast<float>(o * 9 + k) / 8);
    }
  }
  CHECK(weights.get("MobileFaceNet/features/stage2/block_6/project/weights", {1, 1, 256, 128})[1] == 38 + 256.0F / 8);
  CHECK(weights.get("MobileFaceNet/gdconv/biases", {512})[8] == 0);
  CHECK(weights.has("MobileFaceNet/features/down3/depthwise/weights"));
  CHECK(weights.has("MobileFaceNet/features/stage3/block_2/expand/biases"));
  CHECK(weights.get("MobileFaceNet/conv3/weights", {1, 1, 512, 128})[0] == 50);
}

TEST_CASE("batch norms that the exporter left in are folded") {
  const TemporaryFolder folder;
  const Weights weights = convert(folder, {.norms = true});
  const Values first = weights.get("MobileFaceNet/conv1/weights", {3, 3, 3, 64});
  const Values biases = weights.get("MobileFaceNet/conv1/biases", {64});
  const double scale = (1 + 5.0 / 8) / std::sqrt(4 + 5.0 / 8 + 0.5);
  CHECK(first[5] == static_cast<float>(5 * 27 / 8.0 * scale));
  CHECK(biases[5] == static_cast<float>(2 + 5.0 / 8 - (3 + 5.0 / 8) * scale));
}

TEST_CASE("Clip may carry its bounds as attributes") {
  const TemporaryFolder folder;
  CHECK(convert(folder, {.clip_attributes = true}).names().size() == 2 * 51);
}

TEST_CASE("a network that differs is refused, and the message names where") {
  const TemporaryFolder folder;
  const auto refused = [&](const char* message, const ModelOptions& options) {
    check_refused(message, message, [&] { static_cast<void>(convert(folder, options)); });
  };
  refused("which should be MobileFaceNet's conv1, has strides [1, 1], expected [2, 2]; is it another network?",
          {.broken = 0, .strides = {1, 1}});
  refused("which should be MobileFaceNet's features/down1/depthwise, has pads [0, 0, 1, 1], expected [1, 1, 1, 1]",
          {.broken = 4, .pads = {0, 0, 1, 1}});
  refused("gdconv, has dilations [2, 2], expected [1, 1]", {.broken = 49, .dilations = {2, 2}});
  refused("dw_conv/depthwise, has group [1], expected [64]", {.broken = 1, .group = 1});
  refused("conv1, is followed by 'PRelu', expected Clip", {.broken = 0, .activation = "PRelu"});
  refused("dw_conv/pointwise, is followed by 'Sigmoid', expected Relu", {.broken = 2, .activation = "Sigmoid"});
  refused("conv3, is followed by 'Relu', expected no activation", {.broken = 50, .activation = "Relu"});
  refused("conv1, is clipped to 0 to 1, expected 0 to 6", {.ceiling = 1});
  refused("has 50 convolutions, expected MobileFaceNet's 51; is it another network?", {.leave_out = 20});
}

TEST_CASE("a convolution of another shape is refused by the tensor's name") {
  std::string model = mobilefacenet_model();
  const std::string from = onnx::tensor("c2.w", 1, std::vector<std::int64_t>{64, 64, 1, 1}, "");
  const std::string to = onnx::tensor("c2.w", 1, std::vector<std::int64_t>{32, 32, 2, 2}, "");
  REQUIRE(from.size() == to.size());
  REQUIRE(model.find(from) != std::string::npos);
  model.replace(model.find(from), from.size(), to);
  const TemporaryFolder folder;
  const OnnxGraph graph = read_onnx(folder.write("m.onnx", model));
  check_refused("shape", "tensor 'c2.w' has shape [32, 32, 2, 2], expected [64, 64, 1, 1]",
                [&] { static_cast<void>(convert_mobilefacenet(graph)); });
}

}  // namespace
}  // namespace wajah
