// How the Cpu device lays out weights: kernels run once by load(). Each instruction set packs for its own vectors.
#pragma once

#include <wajah/cpu.hpp>

namespace wajah {

// (taps, in, out) -> panels of vectors of output channels (kernels/cpu/conv2d_panels.hpp), then `zeros` zeros.
struct PackPanelsArgs {
  const float* weights = nullptr;
  float* packed = nullptr;  // round_up(out) * taps * in + zeros floats
  int taps = 1, in = 1, out = 1, zeros = 0;
};
WAJAH_KERNEL(pack_panels, PackPanelsArgs)

// The same of signed bytes, groups of four input channels side by side for each output channel; `in` is a multiple of
// four. Then `padding` bytes that hold the zero point of the map, where the instruction set's kernel reads them.
struct PackPanelsInt8Args {
  const int8_t* weights = nullptr;
  int8_t* packed = nullptr;  // packed_int8_bytes(taps, in, out) + padding bytes
  int taps = 1, in = 4, out = 1, padding = 0, zero_point = 0;
};
WAJAH_KERNEL_AMX(pack_panels_int8, PackPanelsInt8Args)

#ifndef WAJAH_KERNEL_ISA

inline constexpr int widest_vector = alignment / sizeof(float);

// Channels in whole vectors of any instruction set.
constexpr int round_up(int channels) { return (channels + widest_vector - 1) / widest_vector * widest_vector; }

// Enough for the order of any instruction set; matrix tiles take 64 input channels of all taps at a time.
constexpr std::size_t packed_int8_bytes(int taps, int in, int out) {
  return static_cast<std::size_t>(round_up(out)) *
         align_up(static_cast<std::size_t>(taps) * static_cast<std::size_t>(in));
}

// Memory for what load() packs, one buffer behind the other in pages of 2 MB where the system has them: a network's
// weights are then one ascending stream with few translations (14.9 against 11.3 GB/s where no cache holds them).
[[nodiscard]] Buffer allocate_weights(const Cpu& device, std::size_t bytes);

// Rows of `channels` floats, each padded with zeros to whole vectors.
[[nodiscard]] Buffer pack_rows(const Cpu& device, const float* values, int rows, int channels);

// The slopes that make the activation x < 0 ? slope * x : x: ones for identity, zeros for relu and relu6.
[[nodiscard]] Buffer pack_slopes(const Cpu& device, Activation activation, int channels);

#endif

}  // namespace wajah
