#include <wajah/detect/guess_crops.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace wajah {

namespace {

constexpr int quad = 4;       // input channels that are multiplied together
constexpr int tile_row = 64;  // bytes of one row of a matrix tile

int round_up(int n, int to) { return (n + to - 1) / to * to; }

}  // namespace

template <class T>
T* CropGuesser::keep(std::size_t count) {
  memory_.emplace_back(count * sizeof(T));
  std::fill_n(memory_.back().as<T>(), count, T{});
  return memory_.back().as<T>();
}

// A linear layer is a convolution whose window is the whole map.
void CropGuesser::add_layer(const Weights& weights, std::string_view name, std::string_view slopes,
                            const Shapes& shapes) {
  const auto [side, in, window, out, panel, pool] = shapes;
  const bool linear = window == side;
  const Values kernel = linear ? weights.scope(name).get("weights", {window * window * in, out})
                               : weights.scope(name).get("weights", {window, window, in, out});
  const Values biases = weights.scope(name).get("biases", {out});
  const Values alpha = weights.scope(slopes).get("alpha", {out});

  GuessLayer& layer = net_.layers[net_.count++];
  const int before = net_.count == 1 ? round_up(in, quad) : net_.layers[net_.count - 2].out;  // bytes a pixel
  const int channels = round_up(out, panel), map = side - window + 1;
  layer = {side, before, window, channels, panel, pool, pool == 1 ? map : (map - pool + 1) / 2 + 1};
  auto* steps = keep<std::int8_t>(static_cast<std::size_t>(channels * window * window * before));
  auto* sums = keep<int>(static_cast<std::size_t>(channels));
  auto* floats = keep<float>(static_cast<std::size_t>(3 * channels));
  layer.weights = steps;
  const int row_steps = guess_steps(layer);
  auto* tiles = keep<std::int8_t>(static_cast<std::size_t>(channels * window * row_steps * tile_row));
  layer.tiles = tiles;
  layer.sums = sums;
  layer.scales = floats;
  layer.biases = floats + channels;
  layer.slopes = floats + 2 * channels;
  for (int c = 0; c < out; ++c) {
    float largest = 0;
    const auto weight = [&](int tap, int i) { return kernel[static_cast<std::size_t>((tap * in + i) * out + c)]; };
    for (int k = 0; k < window * window * in; ++k) largest = std::max(largest, std::abs(weight(k / in, k % in)));
    const float scale = largest > 0 ? largest / largest_weight_ : 1.0F;
    for (int tap = 0; tap < window * window; ++tap) {
      for (int i = 0; i < in; ++i) {
        const int k = tap * before + i, first = c / panel * panel * window * window * before;
        const auto step = static_cast<int>(std::nearbyint(weight(tap, i) / scale));
        steps[first + (k / quad * panel + c % panel) * quad + k % quad] = static_cast<std::int8_t>(step);
        const int at = tap % window * before + i;  // in a row of the window
        const int tile = (c / 16 * window + tap / window) * row_steps + at / tile_row;
        tiles[tile * 16 * tile_row + at % tile_row / quad * tile_row + c % 16 * quad + at % quad] =
            static_cast<std::int8_t>(step);
        sums[c] += step;
      }
    }
    floats[c] = scale;
    floats[channels + c] = biases[static_cast<std::size_t>(c)];
    floats[2 * channels + c] = alpha[static_cast<std::size_t>(c)];
  }
}

void CropGuesser::add_heads(const Weights& weights, std::string_view face, std::string_view box) {
  const int in = net_.layers[net_.count - 1].out;
  auto* heads = keep<float>(static_cast<std::size_t>(in * guess_head_row));
  auto* biases = keep<float>(guess_head_row);
  const auto put = [&](std::string_view name, int first, int out) {
    const Values matrix = weights.scope(name).get("weights", {in, out});
    const Values offsets = weights.scope(name).get("biases", {out});
    for (int i = 0; i < in; ++i) std::copy_n(matrix.data() + i * out, out, heads + i * guess_head_row + first);
    std::copy_n(offsets.data(), out, biases + first);
  };
  put(face, 0, 2);
  put(box, 2, 4);
  net_.heads = heads;
  net_.head_biases = biases;
}

CropGuesser CropGuesser::of_rnet(const Weights& rnet, Isa isa) {
  CropGuesser guesser(24, isa);
  guesser.add_layer(rnet, "conv1", "prelu1", {24, 3, 3, 28, 32, 3});
  guesser.add_layer(rnet, "conv2", "prelu2", {11, 28, 3, 48, 48, 3});
  guesser.add_layer(rnet, "conv3", "prelu3", {4, 48, 2, 64, 64, 1});
  guesser.add_layer(rnet, "conv4", "prelu4", {3, 64, 3, 128, 32, 1});
  guesser.add_heads(rnet, "conv5-1", "conv5-2");
  return guesser;
}

CropGuesser CropGuesser::of_onet(const Weights& onet, Isa isa) {
  CropGuesser guesser(48, isa);
  guesser.add_layer(onet, "conv1", "prelu1", {48, 3, 3, 32, 32, 3});
  guesser.add_layer(onet, "conv2", "prelu2", {23, 32, 3, 64, 32, 3});
  guesser.add_layer(onet, "conv3", "prelu3", {10, 64, 3, 64, 32, 2});
  guesser.add_layer(onet, "conv4", "prelu4", {4, 64, 2, 128, 64, 1});
  guesser.add_layer(onet, "conv5", "prelu5", {3, 128, 3, 256, 32, 1});
  guesser.add_heads(onet, "conv6-1", "conv6-2");
  return guesser;
}

}  // namespace wajah
