// scan_pnet: the kernel that looks for faces of 12 pixels everywhere in pictures of bytes: the whole of P-Net at once.
// It does the arithmetic of the layers in networks/mtcnn.hpp in their order, so every number is theirs to the last bit.
#pragma once

#include <wajah/cpu.hpp>
#ifndef WAJAH_KERNEL_ISA
#include <wajah/weights.hpp>

#include <memory>
#endif

namespace wajah {

inline constexpr int pnet_window = 12, pnet_stride = 2;
inline constexpr int pnet_head_row = 16;  // floats of one row of the heads' weights, 6 of them used

// P-Net's tensors as files have them, (row, column, in, out); both heads side by side, the rest of each row zero.
struct alignas(alignment) PNetWeights {
  float conv1[27 * 10], conv2[90 * 16], conv3[144 * 32], heads[32 * pnet_head_row];
  float bias1[10], bias2[16], bias3[32], bias4[pnet_head_row];
  float slope1[10], slope2[16], slope3[32];
};

// P-Net in bytes: what each place says, nearly. Weights are four channels an int, in the order of use; "scale" and "bias"
// make numbers of sums (conv1) or already steps of the bytes that are the next layer's input.
struct alignas(alignment) PNetScreen {
  int conv1[9 * 10], conv2[27 * 16], conv3[2 * 36 * 16];
  float scale1[10], bias1[10], slope1[10], inverse1[10], zero1[10];
  float scale2[16], bias2[16], slope2[16], zero2[16];
  float scale3[32], bias3[32], slope3[32], head[32], head_bias;
  float margin;  // of the logits, by which this may be less than P-Net's own difference in a hit
};

// A place that looks like a face.
struct PNetHit {
  int column, row;  // of P-Net's output
  float score;      // probability of "face"
  float regression[4];
};

// Some rows of one level of the pyramid, and room for what is found there: a hit for each row and column of the output.
struct PNetStrip {
  ConstView<uint8_t> x{};  // one dense picture of 4 channels, R G B and one that is ignored; 12 pixels or more each way
  int first_row = 0;       // of the output, added to the rows of the hits
  PNetHit* hits = nullptr;
  int found = 0;  // hits written, row by row
};

struct ScanPNetArgs {
  const PNetWeights* weights = nullptr;
  const PNetScreen* screen = nullptr;  // if any, only what it does not rule out is scanned
  PNetStrip* strips = nullptr;  // the parts take the next that none has begun
  int count = 0;
  int* next = nullptr;           // 0
  float least_difference = 0;    // of the logits, "face" less "no face", in a hit
  float* scratch = nullptr;      // scratch_floats for each part
  ptrdiff_t scratch_floats = 0;  // at least scan_pnet_scratch(widest strip, tallest strip)
};

// Rows or columns of P-Net's output; its pooling rounds up.
[[nodiscard]] WAJAH_INLINE int pnet_outputs(int pixels) { return (pixels - pnet_window + 1) / pnet_stride + 1; }

[[nodiscard]] WAJAH_INLINE ptrdiff_t scan_pnet_scratch(int columns, int rows) {
  constexpr ptrdiff_t beyond = 64;  // pixels that a last tile or vector may reach past a row
  constexpr ptrdiff_t full_rows = 4 * 3, half_rows = 3 * (10 + 16), marks = 5 * 2;
  return full_rows * (columns / 32 * 32 + beyond) + half_rows * (columns / 32 * 16 + beyond) +
         marks * (columns / 32 + 4) * (rows / 2 + 4);
}

WAJAH_KERNEL_VNNI(scan_pnet, ScanPNetArgs)

#ifndef WAJAH_KERNEL_ISA

// The tensors of networks/mtcnn.hpp's PNet. Throws Error (model) naming one that is missing or misshapen.
[[nodiscard]] std::unique_ptr<const PNetWeights> load_pnet_weights(const Weights& pnet);

// The same network in bytes. Which numbers its maps take is learnt from patterns harder than photos.
[[nodiscard]] std::unique_ptr<const PNetScreen> make_pnet_screen(const PNetWeights& net, Isa isa);

#endif

}  // namespace wajah
