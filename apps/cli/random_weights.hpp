// Weights made up in memory, so that benchmarks need no file: the time of a network does not depend on their values.
#pragma once

#include <wajah/describe.hpp>
#include <wajah/layers/conv2d_int8.hpp>
#include <wajah/layers/conv2d_winograd.hpp>
#include <wajah/layers/depthwise_conv2d.hpp>
#include <wajah/layers/depthwise_conv2d_int8.hpp>
#include <wajah/layers/linear.hpp>
#include <wajah/weights.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::cli {

// Uniform between -limit and limit; moves `state`, from which they are made, on.
[[nodiscard]] std::vector<float> random_values(std::size_t size, float limit, std::uint64_t& state);

// How far values lie apart: weights between +-sqrt(gain / inputs), biases between +-biases. 6 is what keeps the spread
// of activations through a layer with ReLU (He et al. 2015). With 6 some networks (MobileFaceNet, whose blocks end
// without one) make a rounding's difference larger from layer to layer; with 2 it fades.
struct RandomSpread {
  float gain = 6, biases = 0.01F;
};
inline constexpr RandomSpread calm_spread{2, 0.1F};

// Adds tensors of random values under full names. The same seed gives the same values on every machine.
class RandomTensors {
 public:
  RandomTensors(Weights::Builder& builder, std::uint64_t seed, RandomSpread spread = {})
      : builder_(builder), state_(seed), spread_(spread) {}

  void add(std::string name, std::vector<std::int64_t> shape, float limit);

  void add(std::string name, Range range) { builder_.add(std::move(name), {2}, std::array{range.low, range.high}); }

  void add_kernel(const std::string& name, std::vector<std::int64_t> shape, int inputs) {
    add(name, std::move(shape), std::sqrt(spread_.gain / static_cast<float>(inputs)));
  }
  void add_biases(const std::string& name, int count) { add(name, {count}, spread_.biases); }

 private:
  Weights::Builder& builder_;
  std::uint64_t state_;
  RandomSpread spread_;
};

namespace detail {

template <class Act>
struct Slopes {
  static void add(RandomTensors&, std::string_view, int) {}
};
template <Name N>
struct Slopes<PRelu<N>> {
  static void add(RandomTensors& tensors, std::string_view scope, int channels) {
    tensors.add(std::string(scope) + std::string(N.view()) + "/alpha", {channels}, 0.25F);
  }
};

// Which tensors a layer loads. `scope` is where it stands, with a slash at its end, or empty.
template <class Layer>
struct Parameters {
  static void add(RandomTensors&, std::string_view) {}
};

template <Name N, int In, int Out, Window W, Pad P, class Act>
struct Parameters<Conv2d<N, In, Out, W, P, Act>> {
  static void add(RandomTensors& tensors, std::string_view scope) {
    const std::string name = std::string(scope) + std::string(N.view());
    tensors.add_kernel(name + "/weights", {W.h, W.w, In, Out}, W.h * W.w * In);
    tensors.add_biases(name + "/biases", Out);
    Slopes<Act>::add(tensors, scope, Out);
  }
};

template <Name N, int In, int Out, Window W, Pad P, class Act>
struct Parameters<Conv2dInt8<N, In, Out, W, P, Act>> {
  static void add(RandomTensors& tensors, std::string_view scope) {
    Parameters<Conv2d<N, In, Out, W, P, Act>>::add(tensors, scope);
    tensors.add(fmt::format("{}{}/{}", scope, N.view(), range_name), Range{0, 1});
  }
};

template <Name N, int In, int Out, Window W, Pad P, class Act, WinogradTile Tile>
struct Parameters<Conv2dWinograd<N, In, Out, W, P, Act, Tile>> : Parameters<Conv2d<N, In, Out, W, P, Act>> {};

template <Name N, int C, Window W, Pad P, class Act>
struct Parameters<DepthwiseConv2d<N, C, W, P, Act>> {
  static void add(RandomTensors& tensors, std::string_view scope) {
    const std::string name = std::string(scope) + std::string(N.view());
    tensors.add_kernel(name + "/weights", {W.h, W.w, C}, W.h * W.w);
    tensors.add_biases(name + "/biases", C);
    Slopes<Act>::add(tensors, scope, C);
  }
};

template <Name N, int C, Window W, Pad P, class Act>
struct Parameters<DepthwiseConv2dInt8<N, C, W, P, Act>> {
  static void add(RandomTensors& tensors, std::string_view scope) {
    Parameters<DepthwiseConv2d<N, C, W, P, Act>>::add(tensors, scope);
    tensors.add(fmt::format("{}{}/{}", scope, N.view(), range_name), Range{0, 1});
  }
};

template <Name N, int In, int Out, class Act>
struct Parameters<Linear<N, In, Out, Act>> {
  static void add(RandomTensors& tensors, std::string_view scope) {
    const std::string name = std::string(scope) + std::string(N.view());
    tensors.add_kernel(name + "/weights", {In, Out}, In);
    tensors.add_biases(name + "/biases", Out);
    Slopes<Act>::add(tensors, scope, Out);
  }
};

}  // namespace detail

// Every tensor that Net loads, with `prefix` ("pnet/", or nothing) before the names.
template <class Net>
void add_random_weights(RandomTensors& tensors, Shape input, const std::string& prefix = {}) {
  for_each_layer<Net>(input, [&]<class Layer>(Shape, const std::string& name) {
    const std::string full = prefix + name;
    detail::Parameters<Layer>::add(tensors, std::string_view(full).substr(0, full.size() - Layer::name.size()));
  });
}

// Every tensor that Net loads, always the same. Ranges are 0 to 1, whatever maps take.
template <class Net>
[[nodiscard]] Weights random_weights(Shape input, RandomSpread spread = {}) {
  Weights::Builder builder("random weights");
  RandomTensors tensors(builder, 1, spread);
  add_random_weights<Net>(tensors, input);
  return std::move(builder).build();
}

// Whole weight sets as load_detector and load_embedder take them.
[[nodiscard]] Weights random_mtcnn();
[[nodiscard]] Weights random_embedder();  // Inception-ResNet-v1

}  // namespace wajah::cli
