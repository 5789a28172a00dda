#include <wajah/detect/scan_pnet.hpp>

#include <algorithm>
#include <array>

namespace wajah {

std::unique_ptr<const PNetWeights> load_pnet_weights(const Weights& pnet) {
  auto net = std::make_unique<PNetWeights>();
  const auto copy = [&](const char* scope, const char* name, std::initializer_list<std::int64_t> shape, float* to) {
    const Values values = pnet.scope(scope).get(name, shape);
    std::copy_n(values.data(), values.size(), to);
  };
  copy("conv1", "weights", {3, 3, 3, 10}, net->conv1);
  copy("conv1", "biases", {10}, net->bias1);
  copy("PReLU1", "alpha", {10}, net->slope1);
  copy("conv2", "weights", {3, 3, 10, 16}, net->conv2);
  copy("conv2", "biases", {16}, net->bias2);
  copy("PReLU2", "alpha", {16}, net->slope2);
  copy("conv3", "weights", {3, 3, 16, 32}, net->conv3);
  copy("conv3", "biases", {32}, net->bias3);
  copy("PReLU3", "alpha", {32}, net->slope3);
  std::array<float, 32 * 2> face;
  std::array<float, 32 * 4> box;
  copy("conv4-1", "weights", {1, 1, 32, 2}, face.data());
  copy("conv4-2", "weights", {1, 1, 32, 4}, box.data());
  for (std::size_t c = 0; c < 32; ++c) {
    std::copy_n(&face[2 * c], 2, net->heads + c * pnet_head_row);
    std::copy_n(&box[4 * c], 4, net->heads + c * pnet_head_row + 2);
  }
  copy("conv4-1", "biases", {2}, net->bias4);
  copy("conv4-2", "biases", {4}, net->bias4 + 2);
  return net;
}

}  // namespace wajah
