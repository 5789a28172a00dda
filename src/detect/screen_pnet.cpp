#include <wajah/detect/scan_pnet.hpp>
#include <wajah/layers/byte_steps.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <span>
#include <vector>

namespace wajah {

namespace {

constexpr int quad = 4, taps = 9;
constexpr float steps = 255;
constexpr float margin = 2;

// The least and the largest number of each channel of a map, zero among them.
template <std::size_t Channels>
struct Ranges {
  std::array<float, Channels> low{}, high{};

  void widen(std::span<const float> map) {
    for (std::size_t i = 0; i < map.size(); ++i) {
      low[i % Channels] = std::min(low[i % Channels], map[i]);
      high[i % Channels] = std::max(high[i % Channels], map[i]);
    }
  }
  [[nodiscard]] float step(std::size_t c) const { return std::max((high[c] - low[c]) / steps, 1e-6F); }
  [[nodiscard]] float zero(std::size_t c) const { return std::nearbyint(-low[c] / step(c)); }
};

// 3x3 and PReLU; x and y are side x side and (side - 2) x (side - 2).
std::vector<float> layer(std::span<const float> x, int side, int in, int out, const float* weights, const float* biases,
                         const float* slopes) {
  std::vector<float> y;
  y.reserve(static_cast<std::size_t>((side - 2) * (side - 2) * out));
  std::vector<float> sums(static_cast<std::size_t>(out));
  for (int row = 0; row < side - 2; ++row) {
    for (int column = 0; column < side - 2; ++column) {
      std::copy_n(biases, out, sums.begin());
      const float* w = weights;
      for (int tap = 0; tap < taps; ++tap) {
        const float* pixel = &x[static_cast<std::size_t>(((row + tap / 3) * side + column + tap % 3) * in)];
        for (int i = 0; i < in; ++i, w += out) {
          for (int c = 0; c < out; ++c) sums[static_cast<std::size_t>(c)] += pixel[i] * w[c];
        }
      }
      for (int c = 0; c < out; ++c) {
        const float sum = sums[static_cast<std::size_t>(c)];
        y.push_back(sum < 0 ? sum * slopes[c] : sum);
      }
    }
  }
  return y;
}

std::vector<float> pool(std::span<const float> x, int side, int channels) {
  std::vector<float> y;
  for (int row = 0; row + 1 < side; row += 2) {
    for (int column = 0; column + 1 < side; column += 2) {
      for (int c = 0; c < channels; ++c) {
        const auto at = [&](int v, int u) {
          return x[static_cast<std::size_t>(((row + v) * side + column + u) * channels + c)];
        };
        y.push_back(std::max({at(0, 0), at(0, 1), at(1, 0), at(1, 1)}));
      }
    }
  }
  return y;
}

// A picture of square patches of `patch` pixels: of any colour, of black and white, or of any grey.
std::vector<float> pattern(int side, int patch, int kind, std::mt19937& random) {
  std::vector<float> x(static_cast<std::size_t>(side * side * 3));
  std::vector<std::array<float, 3>> patches(static_cast<std::size_t>(side * side));
  for (auto& colour : patches) {
    for (float& c : colour) c = static_cast<float>(random() % 256);
    if (kind == 1) colour[0] = colour[0] < 128 ? 0 : 255;
    if (kind != 0) colour[1] = colour[2] = colour[0];
  }
  for (int i = 0; i < side * side; ++i) {
    const int from = i / side / patch * side + i % side / patch;
    for (std::size_t c = 0; c < 3; ++c) {
      x[static_cast<std::size_t>(i * 3) + c] = (patches[static_cast<std::size_t>(from)][c] - 127.5F) / 128;
    }
  }
  return x;
}

struct MapRanges {
  Ranges<10> pooled;
  Ranges<16> narrow;
};

MapRanges ranges_of(const PNetWeights& net) {
  constexpr int side = 50, map = side - 2, half = map / 2;
  MapRanges ranges;
  std::mt19937 random(1);
  for (int kind = 0; kind < 3; ++kind) {
    for (int patch = 1; patch <= 4; ++patch) {
      const auto full = layer(pattern(side, patch, kind, random), side, 3, 10, net.conv1, net.bias1, net.slope1);
      const auto pooled = pool(full, map, 10);
      ranges.pooled.widen(pooled);
      ranges.narrow.widen(layer(pooled, half, 10, 16, net.conv2, net.bias2, net.slope2));
    }
  }
  return ranges;
}

// Weights of output channel `c`, times the scale of each input channel, in whole steps, four input channels an int.
struct Quantised {
  float scale = 1;
  std::vector<int> packed;   // (tap, quads of input channels)
  double against_zeros = 0;  // the sum of weights times zero points

  Quantised(const float* weights, int in, int out, int c, std::span<const float> scales, std::span<const float> zeros,
            float largest_weight) {
    const auto weight = [&](int tap, int i) {
      return weights[(tap * in + i) * out + c] * scales[static_cast<std::size_t>(i)];
    };
    float largest = 0;
    for (int k = 0; k < taps * in; ++k) largest = std::max(largest, std::abs(weight(k / in, k % in)));
    if (largest > 0) scale = largest / largest_weight;
    const int quads = (in + quad - 1) / quad;
    packed.resize(static_cast<std::size_t>(taps * quads));
    for (int k = 0; k < taps * in; ++k) {
      const auto step = static_cast<int>(std::nearbyint(weight(k / in, k % in) / scale));
      const int i = k % in;
      auto& word = packed[static_cast<std::size_t>(k / in * quads + i / quad)];
      word = static_cast<int>(static_cast<unsigned>(word) | (static_cast<unsigned>(step) & 255U) << (8 * (i % quad)));
      against_zeros += static_cast<double>(step) * static_cast<double>(zeros[static_cast<std::size_t>(i)]);
    }
  }

  [[nodiscard]] float bias(float given) const {
    return static_cast<float>(static_cast<double>(given) - against_zeros * static_cast<double>(scale));
  }
};

}  // namespace

std::unique_ptr<const PNetScreen> make_pnet_screen(const PNetWeights& net, Isa isa) {
  const auto largest = static_cast<float>(largest_byte_weight(isa));
  auto screen = std::make_unique<PNetScreen>();
  const auto [pooled, narrow] = ranges_of(net);
  const auto scales = [](const auto& ranges, auto& scale, auto& zero) {
    for (std::size_t c = 0; c < scale.size(); ++c) scale[c] = ranges.step(c), zero[c] = ranges.zero(c);
  };
  std::array<float, 10> step1, zero1;
  std::array<float, 16> step2, zero2;
  scales(pooled, step1, zero1);
  scales(narrow, step2, zero2);

  const std::array<float, 3> pixel_step{1 / 128.0F, 1 / 128.0F, 1 / 128.0F}, pixel_zero{127.5F, 127.5F, 127.5F};
  for (int c = 0; c < 10; ++c) {
    const Quantised q(net.conv1, 3, 10, c, pixel_step, pixel_zero, largest);
    for (std::size_t k = 0; k < q.packed.size(); ++k) screen->conv1[k * 10 + static_cast<std::size_t>(c)] = q.packed[k];
    const auto i = static_cast<std::size_t>(c);
    screen->scale1[c] = q.scale, screen->bias1[c] = q.bias(net.bias1[c]), screen->slope1[c] = net.slope1[c];
    screen->inverse1[c] = 1 / step1[i], screen->zero1[c] = zero1[i];
  }
  for (int c = 0; c < 16; ++c) {
    const Quantised q(net.conv2, 10, 16, c, step1, zero1, largest);
    for (std::size_t k = 0; k < q.packed.size(); ++k) screen->conv2[k * 16 + static_cast<std::size_t>(c)] = q.packed[k];
    const auto i = static_cast<std::size_t>(c);
    screen->scale2[c] = q.scale / step2[i], screen->bias2[c] = q.bias(net.bias2[c]) / step2[i];
    screen->slope2[c] = net.slope2[c], screen->zero2[c] = zero2[i];
  }
  for (int c = 0; c < 32; ++c) {
    const Quantised q(net.conv3, 16, 32, c, step2, zero2, largest);
    const std::size_t half = static_cast<std::size_t>(c / 16) * q.packed.size() * 16 + static_cast<std::size_t>(c % 16);
    for (std::size_t k = 0; k < q.packed.size(); ++k) screen->conv3[half + k * 16] = q.packed[k];
    screen->scale3[c] = q.scale, screen->bias3[c] = q.bias(net.bias3[c]), screen->slope3[c] = net.slope3[c];
    screen->head[c] = net.heads[c * pnet_head_row + 1] - net.heads[c * pnet_head_row];
  }
  screen->head_bias = net.bias4[1] - net.bias4[0];
  screen->margin = margin;
  return screen;
}

}  // namespace wajah
