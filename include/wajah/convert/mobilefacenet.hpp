// MobileFaceNet (Chen et al. 2018) as foamliu/MobileFaceNet exports it to ONNX, in wajah's names.
#pragma once

#include <wajah/convert/onnx.hpp>
#include <wajah/weights.hpp>

namespace wajah {

// Takes the 51 convolutions in the graph's order and checks each against the network: shape, stride, padding, groups
// and activation. Gives 'MobileFaceNet/<scope>/weights' [kh, kw, in, out], depthwise [kh, kw, channels], and
// '<scope>/biases' [out], a batch norm that the exporter left in folded. Throws Error (model) naming the first
// convolution that differs.
[[nodiscard]] Weights convert_mobilefacenet(const OnnxGraph& graph);

}  // namespace wajah
