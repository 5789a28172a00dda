// describe<Net>(shape): the layers of a network type in order of execution, with names and costs; needs no weights.
#pragma once

#include <wajah/layer.hpp>

#include <string>
#include <vector>

namespace wajah {

struct LayerInfo {
  std::string name;  // with its scopes, e.g. "Repeat/block35_1/Branch_0/Conv2d_1x1"
  Shape in, out;
  std::size_t macs = 0;       // multiply-accumulates of one forward call
  std::size_t workspace = 0;  // bytes of scratch
};

namespace detail {

// Walks a network type: a layer with each() is made of others, one without is a leaf and is handed to `leaf` as a type.
template <class Leaf>
struct Walk {
  Leaf& leaf;
  std::string scope;

  template <class Layer>
  void layer(Shape x) {
    if constexpr (requires { Layer::each(x, *this); }) {
      Layer::each(x, *this);
    } else {
      leaf.template operator()<Layer>(x, scope + std::string(Layer::name));
    }
  }

  // index 0: a plain scope; otherwise the TensorFlow-Slim numbering "<scope>_<index>".
  template <class Layer>
  void layer(Shape x, std::string_view name, int index) {
    const std::string suffix = index == 0 ? "/" : fmt::format("_{}/", index);
    Walk{leaf, fmt::format("{}{}{}", scope, name, suffix)}.template layer<Layer>(x);
  }
};

}  // namespace detail

// Calls leaf.operator()<Layer>(shape of its input, full name) for every leaf layer of Net in order of execution.
template <class Net, class Leaf>
void for_each_layer(Shape x, Leaf leaf) {
  detail::Walk<Leaf>{leaf, {}}.template layer<Net>(x);
}

template <class Net>
[[nodiscard]] std::vector<LayerInfo> describe(Shape x) {
  std::vector<LayerInfo> layers;
  for_each_layer<Net>(x, [&]<class Layer>(Shape in, std::string name) {
    layers.push_back({std::move(name), in, Layer::out(in), Layer::macs(in), Layer::workspace(in)});
  });
  return layers;
}

}  // namespace wajah
