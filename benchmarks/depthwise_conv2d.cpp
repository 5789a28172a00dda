// Depthwise convolutions, over floats and over bytes.
#include "layers.hpp"

namespace wajah::benchmarks {
namespace {

const bool added = [] {
  add_layers<Family::depthwise, MobileFaceNet>("depthwise_conv2d/mobilefacenet", {1, 112, 112, 3});
  add_layers<Family::depthwise, MobileFaceNetInt8>("depthwise_conv2d/mobilefacenet_int8", {1, 112, 112, 3});
  return true;
}();

}  // namespace
}  // namespace wajah::benchmarks
