// The ladder of a 3x3 convolution, layer 4a of Inception-ResNet-v1 (38x38x80 -> 36x36x192): naive to fastest, one
// thread. See conv3x3.md.
#include <wajah/layers/conv2d_winograd.hpp>

#include <string>

#include "ladder.hpp"

using namespace wajah;
using ladder::milliseconds, ladder::say;

namespace {

constexpr Shape in{1, 38, 38, 80}, out{1, 36, 36, 192};
constexpr double macs = 36.0 * 36 * 9 * 80 * 192;

struct Layer {
  std::vector<float> x, weights, biases, y = std::vector<float>(out.size());

  [[nodiscard]] Conv2dWeights as_files_have_it() const {
    return {in.c, out.c, {3, 3}, weights.data(), biases.data(), {ActivationKind::relu, nullptr}};
  }
  [[nodiscard]] Conv2dArgs args(const PackedConv2d& packed) {
    return {{x.data(), in},
            {y.data(), out},
            {3, 3},
            Pad::valid,
            packed.weights.as<float>(),
            packed.biases.as<float>(),
            {ActivationKind::relu, packed.slopes.as<float>()},
            {}};
  }
};

// One sum after another, as the definition says.
void definition(Layer& layer) {
  const ConstView<float> x(layer.x.data(), in);
  const View<float> y(layer.y.data(), out);
  for (int row = 0; row < out.h; ++row) {
    for (int column = 0; column < out.w; ++column) {
      for (int o = 0; o < out.c; ++o) {
        float sum = layer.biases[static_cast<std::size_t>(o)];
        for (int tap = 0; tap < 9; ++tap) {
          const float* pixel = x.pixel(0, row + tap / 3, column + tap % 3);
          for (int i = 0; i < in.c; ++i)
            sum += pixel[i] * layer.weights[static_cast<std::size_t>((tap * in.c + i) * out.c + o)];
        }
        y.pixel(0, row, column)[o] = std::max(sum, 0.0F);
      }
    }
  }
}

// Output channels innermost: neighbours in memory, so the compiler makes vectors of them.
void channels_innermost(Layer& layer) {
  const ConstView<float> x(layer.x.data(), in);
  const View<float> y(layer.y.data(), out);
  for (int row = 0; row < out.h; ++row) {
    for (int column = 0; column < out.w; ++column) {
      float sums[out.c];
      std::copy_n(layer.biases.data(), out.c, sums);
      const float* weights = layer.weights.data();
      for (int tap = 0; tap < 9; ++tap) {
        const float* pixel = x.pixel(0, row + tap / 3, column + tap % 3);
        for (int i = 0; i < in.c; ++i, weights += out.c) {
          for (int o = 0; o < out.c; ++o) sums[o] += pixel[i] * weights[o];
        }
      }
      for (int o = 0; o < out.c; ++o) y.pixel(0, row, column)[o] = std::max(sums[o], 0.0F);
    }
  }
}

void kernels(Layer& layer, Isa isa) {
  const Cpu cpu(1, isa);
  const std::string name(name_of(isa));
  const PackedConv2d direct = pack_conv2d(cpu, layer.as_files_have_it());
  say(("2 tiles in registers, " + name).c_str(), milliseconds([&] { conv2d(cpu, layer.args(direct)); }), macs);
  for (const int side : {2, 3, 4}) {
    const WinogradTile tile{side, side};
    const PackedConv2d packed = pack_conv2d_winograd(cpu, layer.as_files_have_it(), tile);
    say(("3 Winograd, outputs " + std::to_string(side) + "x" + std::to_string(side) + ", " + name).c_str(),
        milliseconds([&] {
          conv2d_winograd(cpu, {layer.args(packed), tile});
        }),
        macs);
  }
}

}  // namespace

int main() {
  std::mt19937 random(1);
  Layer layer{ladder::numbers(random, in.size(), 1), ladder::numbers(random, 9 * 80 * 192, 0.04F),
              ladder::numbers(random, 192, 0.1F)};
  say("0 by its definition", milliseconds([&] { definition(layer); }), macs);
  say("1 output channels innermost", milliseconds([&] { channels_innermost(layer); }), macs);
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
    if (has_isa(isa)) kernels(layer, isa);
  }
}
