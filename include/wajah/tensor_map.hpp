// TensorMap: what a card's Tensor Memory Accelerator (TMA) is told of a tensor in its memory, once; and TensorMapPlan:
// the same in words, from which CudaDriver::make_tensor_map makes one. Elements are 16 bits, dimensions go from the
// innermost outwards, shared memory receives 128 bytes a row with the 128-byte swizzle, and what lies outside of the
// tensor arrives as zeros. The map is passed to kernels by value and stays what it was in a captured graph.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace wajah {

// Opaque: only the driver knows what is in it. CUDA 12 asks for 64 bytes of alignment, CUDA 13 for 128.
struct alignas(128) TensorMap {
  unsigned char bytes[128];
};

struct TensorMapPlan {
  static constexpr int most_dimensions = 4;

  // tiles: a box of `box` elements. windows: of a tensor (channels, width, height, images), the pixels under one tap of
  // a convolution's windows, row by row and image by image (PTX: im2col mode).
  enum class Kind { tiles, windows } kind = Kind::tiles;
  bool bfloat = false;         // or halves
  const void* data = nullptr;  // aligned to 16 bytes
  int dimensions = 0;
  uint64_t size[most_dimensions]{};              // elements
  uint64_t stride_bytes[most_dimensions - 1]{};  // of each dimension but the innermost: multiples of 16
  uint32_t box[most_dimensions]{};               // of tiles

  // Of windows: the first and last place of the window's first pixel, width before height; the last is told from the
  // tensor's last pixel, so that 0 is that pixel. And how far apart windows are.
  int first[2]{}, last[2]{};
  uint32_t step = 1;
  uint32_t channels = 0, pixels = 0;  // what one fetch brings
};

}  // namespace wajah
