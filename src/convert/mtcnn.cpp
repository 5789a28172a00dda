#include <wajah/convert/mtcnn.hpp>
#include <wajah/convert/pickle_npy.hpp>
#include <wajah/error.hpp>
#include <wajah/text.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace wajah {
namespace {

struct Layer {
  std::string_view name;
  std::int64_t in = 0, out = 0;
  std::int64_t window = 1;  // square; of a Linear after a flatten: the map's height and width
  enum class Kind { conv, linear, prelu } kind = Kind::conv;
};

constexpr auto conv = Layer::Kind::conv;
constexpr auto linear = Layer::Kind::linear;
constexpr auto prelu = Layer::Kind::prelu;

constexpr std::array pnet = {
    Layer{"conv1", 3, 10, 3},          Layer{"PReLU1", 10, 10, 1, prelu}, Layer{"conv2", 10, 16, 3},
    Layer{"PReLU2", 16, 16, 1, prelu}, Layer{"conv3", 16, 32, 3},         Layer{"PReLU3", 32, 32, 1, prelu},
    Layer{"conv4-1", 32, 2},           Layer{"conv4-2", 32, 4},
};

constexpr std::array rnet = {
    Layer{"conv1", 3, 28, 3},
    Layer{"prelu1", 28, 28, 1, prelu},
    Layer{"conv2", 28, 48, 3},
    Layer{"prelu2", 48, 48, 1, prelu},
    Layer{"conv3", 48, 64, 2},
    Layer{"prelu3", 64, 64, 1, prelu},
    Layer{"conv4", 64, 128, 3, linear},
    Layer{"prelu4", 128, 128, 1, prelu},
    Layer{"conv5-1", 128, 2, 1, linear},
    Layer{"conv5-2", 128, 4, 1, linear},
};

constexpr std::array onet = {
    Layer{"conv1", 3, 32, 3},
    Layer{"prelu1", 32, 32, 1, prelu},
    Layer{"conv2", 32, 64, 3},
    Layer{"prelu2", 64, 64, 1, prelu},
    Layer{"conv3", 64, 64, 3},
    Layer{"prelu3", 64, 64, 1, prelu},
    Layer{"conv4", 64, 128, 2},
    Layer{"prelu4", 128, 128, 1, prelu},
    Layer{"conv5", 128, 256, 3, linear},
    Layer{"prelu5", 256, 256, 1, prelu},
    Layer{"conv6-1", 256, 2, 1, linear},
    Layer{"conv6-2", 256, 4, 1, linear},
    Layer{"conv6-3", 256, 10, 1, linear},
};

// [window, window, block] with the first two dimensions swapped. A kernel's block is its [in, out]; the rows of a
// Linear after a flatten run over (column, row, channel) of the transposed map, so its block is [channels, out] just
// the same.
std::vector<float> transposed(std::span<const float> values, const Layer& layer) {
  const auto window = static_cast<std::size_t>(layer.window);
  const std::size_t block = values.size() / (window * window);
  std::vector<float> out(values.size());
  for (std::size_t y = 0; y < window; ++y) {
    for (std::size_t x = 0; x < window; ++x) {
      const std::span<const float> from = values.subspan((x * window + y) * block, block);
      std::ranges::copy(from, out.begin() + static_cast<std::ptrdiff_t>((y * window + x) * block));
    }
  }
  return out;
}

std::vector<std::int64_t> weights_shape(const Layer& layer) {
  if (layer.kind == linear) return {layer.window * layer.window * layer.in, layer.out};
  return {layer.window, layer.window, layer.in, layer.out};
}

void add_layer(const Layer& layer, const Weights& source, std::string_view net, Weights::Builder& builder) {
  const Weights from = source.scope(layer.name);
  const std::string to = fmt::format("{}/{}/", net, layer.name);
  if (layer.kind == prelu) {
    builder.add(to + "alpha", {layer.out}, from.get("alpha", {layer.out}).span());
    return;
  }
  std::vector<std::int64_t> shape = weights_shape(layer);
  const Values weights = from.get("weights", shape);
  builder.add(to + "weights", std::move(shape), transposed(weights.span(), layer));
  builder.add(to + "biases", {layer.out}, from.get("biases", {layer.out}).span());
}

void add_net(std::span<const Layer> layers, const std::filesystem::path& file, std::string_view net,
             Weights::Builder& builder) {
  const Weights source = read_pickled_npy(file);
  for (const Layer& layer : layers) add_layer(layer, source, net, builder);
  const std::vector<std::string> unused = source.unused();
  if (!unused.empty()) {
    fail(ErrorKind::model,
         "{}: holds {} and {} more tensors that {} does not have; is it the right one of det1, det2, det3?",
         file.string(), quote(unused[0]), unused.size() - 1, net);
  }
}

}  // namespace

Weights convert_mtcnn(const std::filesystem::path& det1, const std::filesystem::path& det2,
                      const std::filesystem::path& det3) {
  Weights::Builder builder(det1.parent_path().string());
  add_net(pnet, det1, "pnet", builder);
  add_net(rnet, det2, "rnet", builder);
  add_net(onet, det3, "onet", builder);
  builder.metadata("architecture", "mtcnn");
  return std::move(builder).build();
}

}  // namespace wajah
