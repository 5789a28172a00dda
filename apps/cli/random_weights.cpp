#include "cli/random_weights.hpp"

#include <wajah/convert/open.hpp>
#include <wajah/networks/inception_resnet_v1.hpp>
#include <wajah/networks/mtcnn.hpp>

#include <utility>

namespace wajah::cli {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere, which <random>'s distributions are not.
std::uint64_t next(std::uint64_t& state) {
  std::uint64_t z = state += 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

}  // namespace

std::vector<float> random_values(std::size_t size, float limit, std::uint64_t& state) {
  std::vector<float> values(size);
  for (float& value : values) value = limit * (static_cast<float>(next(state) >> 40U) * 0x1p-23F - 1.0F);
  return values;
}

void RandomTensors::add(std::string name, std::vector<std::int64_t> shape, float limit) {
  std::size_t size = 1;
  for (const std::int64_t n : shape) size *= static_cast<std::size_t>(n);
  const std::vector<float> values = random_values(size, limit, state_);
  builder_.add(std::move(name), std::move(shape), values);
}

Weights random_mtcnn() {
  Weights::Builder builder("random weights");
  RandomTensors tensors(builder, 1);
  add_random_weights<PNet>(tensors, {1, 12, 12, 3}, "pnet/");
  add_random_weights<RNet>(tensors, {1, 24, 24, 3}, "rnet/");
  add_random_weights<ONet>(tensors, {1, 48, 48, 3}, "onet/");
  builder.metadata(std::string(architecture_key), std::string(mtcnn_name));
  return std::move(builder).build();
}

Weights random_embedder() {
  Weights::Builder builder("random weights");
  RandomTensors tensors(builder, 2);
  add_random_weights<InceptionResnetV1>(tensors, {1, 160, 160, 3});
  builder.metadata(std::string(architecture_key), std::string(inception_resnet_v1_name));
  return std::move(builder).build();
}

}  // namespace wajah::cli
