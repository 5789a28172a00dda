#include <wajah/convert/batch_norm.hpp>
#include <wajah/convert/inception.hpp>
#include <wajah/error.hpp>
#include <wajah/text.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace wajah {
namespace {

constexpr std::string_view root = "InceptionResnetV1/";
constexpr std::string_view suffix = "/weights";
constexpr int layer_count = 133;  // 132 convolutions and the bottleneck

void add_layer(const Weights& graph, const std::string& scope, Weights::Builder& builder) {
  const Weights from = graph.scope(scope);
  const std::vector<std::int64_t> shape = from.raw("weights").shape;
  if (shape.size() != 4 && shape.size() != 2) {
    fail(ErrorKind::model, "{}: tensor {} has shape {}, expected [kh, kw, in, out] or [in, out]", graph.source(),
         quote(scope + std::string(suffix)), shape_text(shape));
  }
  const std::int64_t channels = shape.back();
  const Values weights = from.get("weights", shape);
  if (!from.has("BatchNorm/beta")) {
    builder.add(scope + "/weights", shape, weights.span());
    builder.add(scope + "/biases", {channels}, from.get("biases", {channels}).span());
    return;
  }
  const Weights norm = from.scope("BatchNorm");
  const Values gamma = norm.has("gamma") ? norm.get("gamma", {channels}) : Values(std::vector<float>());
  const Values beta = norm.get("beta", {channels});
  const Values mean = norm.get("moving_mean", {channels});
  const Values variance = norm.get("moving_variance", {channels});
  const Folded folded =
      fold(weights.span(), {}, {gamma.span(), beta.span(), mean.span(), variance.span(), 0.001}, scope);
  builder.add(scope + "/weights", shape, folded.weights);
  builder.add(scope + "/biases", {channels}, folded.biases);
}

}  // namespace

Weights convert_inception_resnet_v1(const Weights& graph) {
  if (!graph.has("InceptionResnetV1/Conv2d_1a_3x3/weights") || !graph.has("InceptionResnetV1/Bottleneck/weights")) {
    fail(ErrorKind::model,
         "{}: has no 'InceptionResnetV1/Conv2d_1a_3x3/weights' or no 'InceptionResnetV1/Bottleneck/weights', "
         "expected a frozen Inception-ResNet-v1 of facenet",
         graph.source());
  }
  Weights::Builder builder(graph.source());
  int layers = 0;
  for (const auto& [name, tensor] : graph.tensors()) {
    if (!name.starts_with(root) || !name.ends_with(suffix)) continue;
    add_layer(graph, std::string(name.substr(0, name.size() - suffix.size())), builder);
    ++layers;
  }
  if (layers != layer_count) {
    fail(ErrorKind::model, "{}: has {} layers with weights, expected Inception-ResNet-v1's {}; is the file complete?",
         graph.source(), layers, layer_count);
  }
  builder.metadata("architecture", "inception-resnet-v1");
  return std::move(builder).build();
}

}  // namespace wajah
