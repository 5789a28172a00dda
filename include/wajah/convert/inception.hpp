// Inception-ResNet-v1 (Szegedy et al. 2016) as davidsandberg/facenet froze it, in wajah's names.
#pragma once

#include <wajah/weights.hpp>

namespace wajah {

// From the constants of a frozen graph (read_frozen_graph): every 'InceptionResnetV1/<scope>/weights' with its batch
// norm (epsilon 0.001, facenet trains it without gamma) folded in, as '<scope>/weights' [kh, kw, in, out] and
// '<scope>/biases' [out]; the scope 'Bottleneck' is fully connected, [in, out]. Throws Error (model) on a graph of
// another network.
[[nodiscard]] Weights convert_inception_resnet_v1(const Weights& graph);

}  // namespace wajah
