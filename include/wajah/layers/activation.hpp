// What follows the sum of a convolution, as its template argument: Identity, Relu, Relu6 or PRelu<"name">.
// kind says which; slopes() gives PReLU's weights and nothing for the others.
#pragma once

#include <wajah/layer.hpp>

#include <vector>

namespace wajah {

template <ActivationKind Kind>
struct PlainActivation {
  static constexpr ActivationKind kind = Kind;
  static Values slopes(const Weights&, int) { return Values(std::vector<float>{}); }
};

using Identity = PlainActivation<ActivationKind::identity>;
using Relu = PlainActivation<ActivationKind::relu>;
using Relu6 = PlainActivation<ActivationKind::relu6>;  // Howard et al. 2017

// He et al. 2015. Its slopes are the tensor "<N>/alpha" beside the scope of the layer it belongs to, as MTCNN has it.
template <Name N>
struct PRelu {
  static constexpr ActivationKind kind = ActivationKind::prelu;
  static Values slopes(const Weights& weights, int channels) {
    return weights.scope(N.view()).get("alpha", {channels});
  }
};

}  // namespace wajah
