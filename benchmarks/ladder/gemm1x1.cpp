// The ladder of a 1x1 convolution, which is a matrix product: the first of block17 in Inception-ResNet-v1 (64 pixels of
// 896 channels -> 128): naive to fastest, one thread. See gemm1x1.md.
#include <wajah/layers/conv2d.hpp>

#include <string>

#include "ladder.hpp"

using namespace wajah;
using ladder::milliseconds, ladder::say;

namespace {

constexpr int pixels = 64, depth = 896, channels = 128;
constexpr double macs = double{pixels} * depth * channels;
constexpr std::size_t copies = 256;  // of the weights, 117 MB: so many that no cache holds them

// One sum after another, as the definition says.
void definition(const float* x, const float* weights, float* y) {
  for (int p = 0; p < pixels; ++p) {
    for (int o = 0; o < channels; ++o) {
      float sum = 0;
      for (int i = 0; i < depth; ++i) sum += x[p * depth + i] * weights[i * channels + o];
      y[p * channels + o] = sum;
    }
  }
}

// Output channels innermost: neighbours in memory, so the compiler makes vectors of them.
void channels_innermost(const float* x, const float* weights, float* y) {
  for (int p = 0; p < pixels; ++p) {
    float sums[channels] = {};
    for (int i = 0; i < depth; ++i) {
      for (int o = 0; o < channels; ++o) sums[o] += x[p * depth + i] * weights[i * channels + o];
    }
    std::copy_n(sums, channels, y + p * channels);
  }
}

// Four pixels by eight channels at once: the sums stay in registers, and every number that is read is used four or
// eight times.
void small_tiles(const float* x, const float* weights, float* y) {
  for (int p = 0; p < pixels; p += 4) {
    for (int first = 0; first < channels; first += 8) {
      float sums[4][8] = {};
      for (int i = 0; i < depth; ++i) {
#pragma GCC unroll 4
        for (int m = 0; m < 4; ++m) {
#pragma GCC unroll 8
          for (int o = 0; o < 8; ++o) sums[m][o] += x[(p + m) * depth + i] * weights[i * channels + first + o];
        }
      }
      for (int m = 0; m < 4; ++m) std::copy_n(sums[m], 8, y + (p + m) * channels + first);
    }
  }
}

}  // namespace

int main() {
  std::mt19937 random(1);
  const std::vector<float> x = ladder::numbers(random, pixels * depth, 1);
  const std::vector<float> weights = ladder::numbers(random, depth * channels, 0.03F), biases(channels);
  std::vector<float> y(pixels * channels);
  say("0 by its definition", milliseconds([&] { definition(x.data(), weights.data(), y.data()); }), macs);
  say("1 output channels innermost", milliseconds([&] { channels_innermost(x.data(), weights.data(), y.data()); }),
      macs);
  say("2 four pixels by eight channels in registers",
      milliseconds([&] { small_tiles(x.data(), weights.data(), y.data()); }), macs);
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
    if (!has_isa(isa)) continue;
    const Cpu cpu(1, isa);
    std::vector<PackedConv2d> packed;
    for (std::size_t i = 0; i < copies; ++i) {
      packed.push_back(pack_conv2d(cpu, {depth, channels, {}, weights.data(), biases.data(), {}}));
    }
    const auto product = [&](const PackedConv2d& one) {
      conv2d(cpu, Conv2dArgs{{x.data(), {1, 8, 8, depth}},
                             {y.data(), {1, 8, 8, channels}},
                             {},
                             Pad::valid,
                             one.weights.as<float>(),
                             one.biases.as<float>(),
                             {ActivationKind::identity, one.slopes.as<float>()},
                             {}});
    };
    const std::string name(name_of(isa));
    say(("3 tiles in registers, packed panels, " + name).c_str(), milliseconds([&] { product(packed[0]); }), macs);
    const double all = milliseconds([&] {
      for (const PackedConv2d& one : packed) product(one);
    });
    say(("4 the same, weights from memory, " + name).c_str(), all / copies, macs);
  }
}
