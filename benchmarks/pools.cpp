// Pooling, which multiplies nothing: only its time counts.
#include "layers.hpp"

namespace wajah::benchmarks {
namespace {

const bool added = [] {
  add_layers<Family::pool, InceptionResnetV1>("pools/inception-resnet-v1", {1, 160, 160, 3});
  add_layers<Family::pool, PNet>("pools/pnet", {1, 360, 640, 3});
  add_layers<Family::pool, RNet>("pools/rnet", {1, 24, 24, 3});
  add_layers<Family::pool, ONet>("pools/onet", {1, 48, 48, 3});
  return true;
}();

}  // namespace
}  // namespace wajah::benchmarks
