// Direct convolutions, 1x1 ones among them, as the networks have them.
#include "layers.hpp"

namespace wajah::benchmarks {
namespace {

const bool added = [] {
  add_layers<Family::conv2d, InceptionResnetV1Tuned>("conv2d/inception-resnet-v1", {1, 160, 160, 3});
  add_layers<Family::conv2d, MobileFaceNet>("conv2d/mobilefacenet", {1, 112, 112, 3});
  add_layers<Family::conv2d, PNet>("conv2d/pnet", {1, 360, 640, 3});
  add_layers<Family::conv2d, RNet>("conv2d/rnet", {1, 24, 24, 3});
  add_layers<Family::conv2d, ONet>("conv2d/onet", {1, 48, 48, 3});
  return true;
}();

}  // namespace
}  // namespace wajah::benchmarks
