#include <wajah/convert/batch_norm.hpp>
#include <wajah/convert/mobilefacenet.hpp>
#include <wajah/error.hpp>
#include <wajah/text.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace wajah {
namespace {

enum class Act { none, relu, relu6 };

struct ConvSpec {
  std::string scope;
  std::int64_t window, stride, in, out;
  Act act;
  bool depthwise = false;

  [[nodiscard]] std::int64_t padding() const { return window == 3 ? 1 : 0; }
  [[nodiscard]] std::int64_t groups() const { return depthwise ? in : 1; }
};

// The network, one entry a convolution.
class Specs {
 public:
  Specs() {
    conv("conv1", 3, 2, 3, 64, Act::relu6);
    depthwise("dw_conv/depthwise", 3, 1, 64, Act::relu);
    conv("dw_conv/pointwise", 1, 1, 64, 64, Act::relu);
    bottleneck("features/down1", 2, 64, 128, 64);
    repeat("features/stage1", 4, 64, 128);
    bottleneck("features/down2", 2, 64, 256, 128);
    repeat("features/stage2", 6, 128, 256);
    bottleneck("features/down3", 2, 128, 512, 128);
    repeat("features/stage3", 2, 128, 256);
    conv("conv2", 1, 1, 128, 512, Act::relu6);
    depthwise("gdconv", 7, 1, 512, Act::none);
    conv("conv3", 1, 1, 512, 128, Act::none);
  }

  [[nodiscard]] const std::vector<ConvSpec>& all() const { return specs_; }

 private:
  void conv(std::string scope, std::int64_t window, std::int64_t stride, std::int64_t in, std::int64_t out, Act act) {
    specs_.push_back({std::move(scope), window, stride, in, out, act});
  }
  void depthwise(std::string scope, std::int64_t window, std::int64_t stride, std::int64_t channels, Act act) {
    specs_.push_back({std::move(scope), window, stride, channels, channels, act, true});
  }
  void bottleneck(const std::string& scope, std::int64_t stride, std::int64_t in, std::int64_t wide, std::int64_t out) {
    conv(scope + "/expand", 1, 1, in, wide, Act::relu6);
    depthwise(scope + "/depthwise", 3, stride, wide, Act::relu6);
    conv(scope + "/project", 1, 1, wide, out, Act::none);
  }
  void repeat(const std::string& scope, int count, std::int64_t channels, std::int64_t wide) {
    for (int i = 1; i <= count; ++i) bottleneck(fmt::format("{}/block_{}", scope, i), 1, channels, wide, channels);
  }

  std::vector<ConvSpec> specs_;
};

// [out, in / groups, kh, kw] as ONNX stores it -> [kh, kw, in, out], or [kh, kw, channels] where in / groups is 1.
std::vector<float> channels_last(std::span<const float> values, const ConvSpec& spec) {
  const auto out = static_cast<std::size_t>(spec.out);
  const auto in = static_cast<std::size_t>(spec.in / spec.groups());
  const auto area = static_cast<std::size_t>(spec.window * spec.window);
  std::vector<float> turned(values.size());
  for (std::size_t o = 0; o < out; ++o) {
    for (std::size_t i = 0; i < in; ++i) {
      for (std::size_t k = 0; k < area; ++k) turned[(k * in + i) * out + o] = values[(o * in + i) * area + k];
    }
  }
  return turned;
}

class Converter {
 public:
  explicit Converter(const OnnxGraph& graph) : graph_(graph), builder_(graph.tensors.source()) {
    for (const OnnxNode& node : graph.nodes) {
      for (const std::string_view input : node.inputs) readers_.try_emplace(input, &node);
    }
  }

  Weights convert();

 private:
  [[noreturn]] void fail_at(const ConvSpec& spec, const OnnxNode& node, std::string_view problem) const {
    fail(ErrorKind::model, "{}: node {}, which should be MobileFaceNet's {}, {}; is it another network?",
         graph_.tensors.source(), quote(node.name), spec.scope, problem);
  }
  [[nodiscard]] const OnnxNode* after(const OnnxNode& node) const;
  void check_attribute(const ConvSpec& spec, const OnnxNode& conv, std::string_view name,
                       const std::vector<std::int64_t>& expected, std::int64_t otherwise) const;
  void check_attributes(const ConvSpec& spec, const OnnxNode& conv) const;
  [[nodiscard]] float bound(const OnnxNode& clip, std::string_view name, std::size_t input) const;
  void check_activation(const ConvSpec& spec, const OnnxNode& conv, const OnnxNode* next) const;
  [[nodiscard]] Folded folded(const ConvSpec& spec, const OnnxNode& conv, const OnnxNode* norm) const;
  void add(const ConvSpec& spec, const OnnxNode& conv);

  const OnnxGraph& graph_;
  Weights::Builder builder_;
  std::unordered_map<std::string_view, const OnnxNode*> readers_;  // the first node that reads a value
};

const OnnxNode* Converter::after(const OnnxNode& node) const {
  if (node.outputs.empty()) return nullptr;
  const auto found = readers_.find(node.outputs[0]);
  return found == readers_.end() ? nullptr : found->second;
}

void Converter::check_attribute(const ConvSpec& spec, const OnnxNode& conv, std::string_view name,
                                const std::vector<std::int64_t>& expected, std::int64_t otherwise) const {
  const auto found = conv.integers.find(name);
  const std::vector<std::int64_t> got =
      found == conv.integers.end() ? std::vector(expected.size(), otherwise) : found->second;
  if (got != expected) {
    fail_at(spec, conv, fmt::format("has {} {}, expected {}", name, shape_text(got), shape_text(expected)));
  }
}

void Converter::check_attributes(const ConvSpec& spec, const OnnxNode& conv) const {
  check_attribute(spec, conv, "strides", {spec.stride, spec.stride}, 1);
  check_attribute(spec, conv, "pads", std::vector<std::int64_t>(4, spec.padding()), 0);
  check_attribute(spec, conv, "dilations", {1, 1}, 1);
  check_attribute(spec, conv, "group", {spec.groups()}, 1);
}

// Clip's bounds are inputs since opset 11 and were attributes before.
float Converter::bound(const OnnxNode& clip, std::string_view name, std::size_t input) const {
  const auto found = clip.numbers.find(name);
  if (found != clip.numbers.end()) return found->second;
  if (input >= clip.inputs.size()) {
    fail(ErrorKind::model, "{}: node {} clips without a {}, expected 0 to 6", graph_.tensors.source(), quote(clip.name),
         name);
  }
  return graph_.tensors.get(clip.inputs[input], {})[0];
}

void Converter::check_activation(const ConvSpec& spec, const OnnxNode& conv, const OnnxNode* next) const {
  const std::string_view op = next == nullptr ? std::string_view() : next->op;
  if (spec.act == Act::relu6) {
    if (op != "Clip") fail_at(spec, conv, fmt::format("is followed by {}, expected Clip", quote(op)));
    const float low = bound(*next, "min", 1), high = bound(*next, "max", 2);
    if (low != 0 || high != 6) fail_at(spec, conv, fmt::format("is clipped to {} to {}, expected 0 to 6", low, high));
  } else if (spec.act == Act::relu) {
    if (op != "Relu") fail_at(spec, conv, fmt::format("is followed by {}, expected Relu", quote(op)));
  } else if (op == "Clip" || op == "Relu" || op == "PRelu" || op == "LeakyRelu") {
    fail_at(spec, conv, fmt::format("is followed by {}, expected no activation", quote(op)));
  }
}

Folded Converter::folded(const ConvSpec& spec, const OnnxNode& conv, const OnnxNode* norm) const {
  const Weights& tensors = graph_.tensors;
  if (conv.inputs.size() < 2) fail_at(spec, conv, "has no weights");
  const Values stored = tensors.get(conv.inputs[1], {spec.out, spec.in / spec.groups(), spec.window, spec.window});
  std::vector<float> weights = channels_last(stored.span(), spec);
  std::vector<float> biases(static_cast<std::size_t>(spec.out));
  if (conv.inputs.size() > 2) std::ranges::copy(tensors.get(conv.inputs[2], {spec.out}).span(), biases.begin());
  if (norm == nullptr) return {std::move(weights), std::move(biases)};

  if (norm->inputs.size() < 5) fail_at(spec, *norm, "has no scale, bias, mean and variance");
  const auto parameter = [&](std::size_t input) { return tensors.get(norm->inputs[input], {spec.out}); };
  const Values gamma = parameter(1), beta = parameter(2), mean = parameter(3), variance = parameter(4);
  const auto epsilon = norm->numbers.find("epsilon");
  return fold(weights, biases,
              {gamma.span(), beta.span(), mean.span(), variance.span(),
               epsilon == norm->numbers.end() ? 1e-5 : static_cast<double>(epsilon->second)},
              spec.scope);
}

void Converter::add(const ConvSpec& spec, const OnnxNode& conv) {
  const OnnxNode* next = after(conv);
  const OnnxNode* norm = next != nullptr && next->op == "BatchNormalization" ? next : nullptr;
  check_attributes(spec, conv);
  check_activation(spec, conv, norm != nullptr ? after(*norm) : next);

  const Folded layer = folded(spec, conv, norm);
  const std::string scope = "MobileFaceNet/" + spec.scope;
  std::vector<std::int64_t> shape = {spec.window, spec.window, spec.in, spec.out};
  if (spec.depthwise) shape.pop_back();
  builder_.add(scope + "/weights", std::move(shape), layer.weights);
  builder_.add(scope + "/biases", {spec.out}, layer.biases);
}

Weights Converter::convert() {
  const Specs specs;
  std::vector<const OnnxNode*> convs;
  for (const OnnxNode& node : graph_.nodes) {
    if (node.op == "Conv") convs.push_back(&node);
  }
  if (convs.size() != specs.all().size()) {
    fail(ErrorKind::model, "{}: has {} convolutions, expected MobileFaceNet's {}; is it another network?",
         graph_.tensors.source(), convs.size(), specs.all().size());
  }
  for (std::size_t i = 0; i < convs.size(); ++i) add(specs.all()[i], *convs[i]);
  builder_.metadata("architecture", "mobilefacenet");
  return std::move(builder_).build();
}

}  // namespace

Weights convert_mobilefacenet(const OnnxGraph& graph) { return Converter(graph).convert(); }

}  // namespace wajah
