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
  PNetStrip* strips = nullptr;  // the parts take the next that none has begun
  int count = 0;
  int* next = nullptr;           // 0
  float least_difference = 0;    // of the logits, "face" less "no face", in a hit
  float* scratch = nullptr;      // scratch_floats for each part
  ptrdiff_t scratch_floats = 0;  // at least scan_pnet_scratch(widest strip)
};

// Rows or columns of P-Net's output; its pooling rounds up.
[[nodiscard]] WAJAH_INLINE int pnet_outputs(int pixels) { return (pixels - pnet_window + 1) / pnet_stride + 1; }

[[nodiscard]] WAJAH_INLINE ptrdiff_t scan_pnet_scratch(int columns) {
  constexpr ptrdiff_t beyond = 64;  // pixels that a last tile or vector may reach past a row
  constexpr ptrdiff_t full_rows = 4 * 3, half_rows = 3 * (10 + 16);
  return full_rows * (columns / 32 * 32 + beyond) + half_rows * (columns / 32 * 16 + beyond);
}

WAJAH_KERNEL(scan_pnet, ScanPNetArgs)

#ifndef WAJAH_KERNEL_ISA

// The tensors of networks/mtcnn.hpp's PNet. Throws Error (model) naming one that is missing or misshapen.
[[nodiscard]] std::unique_ptr<const PNetWeights> load_pnet_weights(const Weights& pnet);

#endif

}  // namespace wajah
