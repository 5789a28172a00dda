// Convolutions by Winograd's algorithm; their GFLOP/s are those of the definition, however few products they form.
#include "layers.hpp"

namespace wajah::benchmarks {
namespace {

const bool added = [] {
  add_layers<Family::winograd, InceptionResnetV1Tuned>("conv2d_winograd/inception-resnet-v1", {1, 160, 160, 3});
  return true;
}();

}  // namespace
}  // namespace wajah::benchmarks
