// Convolutions on bytes; their share of the peak is that of multiply-adds in float.
#include "layers.hpp"

namespace wajah::benchmarks {
namespace {

const bool added = [] {
  add_layers<Family::int8, InceptionResnetV1Int8>("conv2d_int8/inception-resnet-v1", {1, 160, 160, 3});
  add_layers<Family::int8, MobileFaceNetInt8>("conv2d_int8/mobilefacenet", {1, 112, 112, 3});
  return true;
}();

}  // namespace
}  // namespace wajah::benchmarks
