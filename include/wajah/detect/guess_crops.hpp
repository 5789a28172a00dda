// guess_crops: the kernel that tells in bytes what R- or O-Net will say of crops, several times faster than they do. It
// is nearly right, which is enough to see which crops need the network itself (src/detect/judge.cpp).
#pragma once

#include <wajah/detect/resample.hpp>
#ifndef WAJAH_KERNEL_ISA
#include <wajah/layers/byte_steps.hpp>
#include <wajah/weights.hpp>

#include <vector>
#endif

namespace wajah {

inline constexpr int guess_head_row = 16;   // floats of one row of the heads' weights, 6 of them used
inline constexpr int crops_per_guess = 12;  // that go through the linear layers together
inline constexpr int most_guess_layers = 5;

// A convolution with PReLU of bytes that become floats, pooled, and bytes again. Each map gets the scale and zero point
// that fit its own numbers, so nothing about photos is known beforehand.
struct GuessLayer {
  int side = 1, in = 4;  // input: side x side pixels of `in` bytes, a multiple of 4
  int window = 1;
  int out = 32, panel = 32;         // channels: a multiple of panel, which is a multiple of 16
  int pool = 1;                     // side of the windows whose largest values are kept, every second; 1: all are kept
  int pooled = 1;                   // side of the output
  const int8_t* weights = nullptr;  // (out / panel, window, window * in / 4, panel, 4)
  const int8_t* tiles = nullptr;    // (out / 16, window, guess_steps, 16, 16, 4), zeros beyond a row of the window
  const int* sums = nullptr;        // (out), of a channel's weights
  const float* scales = nullptr;    // (out), of the weights
  const float* biases = nullptr;    // (out)
  const float* slopes = nullptr;    // (out)
};

struct GuessNet {
  int side = 0;                          // of the crops
  GuessLayer layers[most_guess_layers];  // the last one's window is its whole map
  int count = 0;
  const float* heads = nullptr;        // (out of the last layer, guess_head_row)
  const float* head_biases = nullptr;  // (guess_head_row)
};

struct CropGuess {
  float difference;     // of the logits: "face" less "no face"
  float regression[4];  // of the box's corners
};

struct GuessCropsArgs {
  const GuessNet* net = nullptr;
  ConstView<uint8_t> x{};               // one dense picture of 3 channels
  const CropWindow* windows = nullptr;  // `count` crops of it, resized as AreaResizer::crops does but for the rounding
  int count = 0;
  CropGuess* guesses = nullptr;  // count
  float* scratch = nullptr;      // scratch_floats for each part
  ptrdiff_t scratch_floats = 0;  // at least guess_crops_scratch(net, widest window or columns of x, what is less)
};

// Rows of one convolution that are in memory at once, until they are pooled.
inline constexpr int guess_ring = 8;

// Of 64 bytes, in which a row of the window is multiplied by matrix tiles.
[[nodiscard]] WAJAH_INLINE int guess_steps(const GuessLayer& layer) { return (layer.window * layer.in + 63) / 64; }

[[nodiscard]] WAJAH_INLINE ptrdiff_t guess_map_bytes(const GuessLayer& layer) {
  return static_cast<ptrdiff_t>(align_up(static_cast<size_t>(layer.side * layer.side * layer.in)));
}

struct GuessScratch {
  ptrdiff_t ring = 0, map = 0, bytes = 0, vectors = 0;  // floats of each kind of buffer

  WAJAH_INLINE explicit GuessScratch(const GuessNet& net) {
    const auto grow = [](ptrdiff_t& size, ptrdiff_t least) { size = size < least ? least : size; };
    for (int i = 0; i < net.count; ++i) {
      const GuessLayer& layer = net.layers[i];
      const ptrdiff_t side = layer.side - layer.window + 1;
      grow(ring, guess_ring * side * layer.out);
      grow(map, static_cast<ptrdiff_t>(layer.pooled) * layer.pooled * layer.out);
      grow(bytes, guess_map_bytes(layer) / 4);
    }
    const GuessLayer& last = net.layers[net.count - 1];
    const ptrdiff_t vector = static_cast<ptrdiff_t>(last.side) * last.side * last.in;
    vectors = crops_per_guess * (vector + last.out + vector / 4);
  }
  [[nodiscard]] WAJAH_INLINE ptrdiff_t floats() const { return ring + map + 2 * bytes + vectors + beyond; }

  static constexpr ptrdiff_t beyond = 32 * 128 / 4 * 8;  // that tiles read of and ignore: pixels, and crops' vectors
};

// A row of a window as floats and, for the picture's last row, as bytes, either with some room beyond.
[[nodiscard]] WAJAH_INLINE ptrdiff_t guess_row_floats(int columns) { return columns / 16 * 48 + 64; }

[[nodiscard]] WAJAH_INLINE ptrdiff_t guess_crops_scratch(const GuessNet& net, int columns) {
  return GuessScratch(net).floats() + 2 * guess_row_floats(columns);
}

WAJAH_KERNEL_AMX(guess_crops, GuessCropsArgs)

#ifndef WAJAH_KERNEL_ISA

// A GuessNet with the memory that its pointers point to.
class CropGuesser {
 public:
  // The tensors of networks/mtcnn.hpp's RNet and ONet, for CPUs that multiply bytes as `isa` does. Throw Error (model)
  // naming one that is missing or misshapen.
  [[nodiscard]] static CropGuesser of_rnet(const Weights& rnet, Isa isa);
  [[nodiscard]] static CropGuesser of_onet(const Weights& onet, Isa isa);

  [[nodiscard]] const GuessNet& net() const { return net_; }

 private:
  CropGuesser(int side, Isa isa) : largest_weight_(static_cast<float>(largest_byte_weight(isa))) { net_.side = side; }

  struct Shapes {
    int side, in, window, out, panel, pool;
  };
  void add_layer(const Weights& weights, std::string_view name, std::string_view slopes, const Shapes& shapes);
  void add_heads(const Weights& weights, std::string_view face, std::string_view box);
  template <class T>
  T* keep(std::size_t count);

  GuessNet net_;
  float largest_weight_;
  std::vector<Buffer> memory_;
};

#endif

}  // namespace wajah
