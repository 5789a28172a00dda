// An ONNX model of MobileFaceNet's structure with numbers that tell where they came from, whole or wrong in one place.
#pragma once

#include <array>

#include "convert/graphs.hpp"

namespace wajah {

struct ModelOptions {
  bool norms = false;  // batch norms left in, as exporters do on request
  int broken = -1;     // index of the convolution that gets the following instead
  std::vector<std::int64_t> strides{}, pads{}, dilations{};
  std::int64_t group = 0;
  std::string activation{};  // another operation after it
  float ceiling = 6;
  bool clip_attributes = false;  // Clip as before opset 11
  int leave_out = -1;            // index of a convolution that is missing
};

class MobileFaceNetModel {
 public:
  explicit MobileFaceNetModel(const ModelOptions& options) : options_(options) {
    graph_ = onnx::constant("zero", onnx::tensor("", 1, {}, protobuf::bytes(9, bytes_of(std::array{0.0F})))) +
             onnx::constant("top", onnx::tensor("", 1, {}, protobuf::bytes(9, bytes_of(std::array{options.ceiling}))));
    conv(3, 2, 3, 64, "Clip");
    conv(3, 1, 64, 64, "Relu", true);
    conv(1, 1, 64, 64, "Relu");
    bottleneck(2, 64, 128, 64);
    for (int i = 0; i < 4; ++i) bottleneck(1, 64, 128, 64);
    bottleneck(2, 64, 256, 128);
    for (int i = 0; i < 6; ++i) bottleneck(1, 128, 256, 128);
    bottleneck(2, 128, 512, 128);
    for (int i = 0; i < 2; ++i) bottleneck(1, 128, 256, 128);
    conv(1, 1, 128, 512, "Clip");
    conv(7, 1, 512, 512, "", true);
    conv(1, 1, 512, 128, "");
  }

  [[nodiscard]] std::string file() const { return onnx::model(graph_); }

 private:
  void bottleneck(std::int64_t stride, std::int64_t in, std::int64_t wide, std::int64_t out) {
    const std::string start = value_;
    conv(1, 1, in, wide, "Clip");
    conv(3, stride, wide, wide, "Clip", true);
    conv(1, 1, wide, out, "");
    if (stride == 1) node("Add", {start, value_});
  }

  void node(const std::string& op, std::vector<std::string> inputs, const std::string& attributes = "") {
    value_ = fmt::format("v{}", values_++);
    graph_ += onnx::node(op, inputs, value_, attributes);
  }

  void conv(std::int64_t window, std::int64_t stride, std::int64_t in, std::int64_t out, std::string activation,
            bool depthwise = false) {
    const int index = convs_++;
    if (index == options_.leave_out) return;
    const bool broken = index == options_.broken;
    std::int64_t group = depthwise ? in : 1;
    const std::string name = fmt::format("c{}", index);
    const std::vector<std::int64_t> shape = {out, in / group, window, window};
    graph_ += onnx::floats(name + ".w", shape, counting(*element_count(shape), static_cast<float>(index)));
    if (broken && options_.group != 0) group = options_.group;
    const auto pick = [&](const std::vector<std::int64_t>& other, std::vector<std::int64_t> usual) {
      return broken && !other.empty() ? other : std::move(usual);
    };
    const std::int64_t pad = window == 3 ? 1 : 0;
    const std::string attributes = onnx::integers("strides", pick(options_.strides, {stride, stride})) +
                                   onnx::integers("pads", pick(options_.pads, {pad, pad, pad, pad})) +
                                   onnx::integers("dilations", pick(options_.dilations, {1, 1})) +
                                   onnx::integer("group", group);
    if (options_.norms) {
      node("Conv", {value_, name + ".w"}, attributes);
      norm(name, out);
    } else {
      graph_ += onnx::floats(name + ".b", {out}, counting(static_cast<std::size_t>(out), -1));
      node("Conv", {value_, name + ".w", name + ".b"}, attributes);
    }
    if (broken && !options_.activation.empty()) activation = options_.activation;
    if (activation == "Clip" && options_.clip_attributes) {
      node("Clip", {value_}, onnx::number("min", 0) + onnx::number("max", options_.ceiling));
    } else if (activation == "Clip") {
      node("Clip", {value_, "zero", "top"});
    } else if (!activation.empty()) {
      node(activation, {value_});
    }
  }

  void norm(const std::string& name, std::int64_t channels) {
    const auto count = static_cast<std::size_t>(channels);
    graph_ += onnx::floats(name + ".scale", {channels}, counting(count, 1)) +
              onnx::floats(name + ".shift", {channels}, counting(count, 2)) +
              onnx::floats(name + ".mean", {channels}, counting(count, 3)) +
              onnx::floats(name + ".variance", {channels}, counting(count, 4));
    node("BatchNormalization", {value_, name + ".scale", name + ".shift", name + ".mean", name + ".variance"},
         onnx::number("epsilon", 0.5F));
  }

  ModelOptions options_;
  std::string graph_;
  std::string value_ = "input";
  int values_ = 0, convs_ = 0;
};

inline std::string mobilefacenet_model(const ModelOptions& options = {}) { return MobileFaceNetModel(options).file(); }

}  // namespace wajah
