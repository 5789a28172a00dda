// What a matrix descriptor of wgmma says, decoded from the words of the PTX ISA ("Matrix Descriptor Format", "Strides",
// "Canonical Layouts"). Nothing here is shared with the kernels, which write descriptors: a mistake there must not be
// repeated here.
//
// Places are counted in units of 16 bytes along the direction in which elements lie next to one another: 8 elements of
// 16 bits. "Major" is that direction.
#pragma once

#include <cstdint>

namespace wajah::shim {

struct MatrixDescriptor {
  unsigned start = 0, leading = 0, stride = 0;  // bytes
  unsigned base_offset = 0, mode = 0;

  constexpr explicit MatrixDescriptor(std::uint64_t bits)
      : start(field(bits, 0, 14) << 4U),
        leading(field(bits, 16, 14) << 4U),
        stride(field(bits, 32, 14) << 4U),
        base_offset(field(bits, 49, 3)),
        mode(field(bits, 62, 2)) {}

  // Bits that the format has no use for.
  static constexpr bool clean(std::uint64_t bits) {
    return field(bits, 14, 2) == 0 && field(bits, 30, 2) == 0 && field(bits, 46, 3) == 0 && field(bits, 52, 10) == 0;
  }

  // Chunks of 16 bytes in a row of the repeating pattern: no swizzle, 128, 64 or 32 bytes.
  [[nodiscard]] constexpr unsigned width() const { return mode == 0 ? 1 : 16U >> mode; }

  // K-major: where row `row` (of M or N) has its chunk `chunk` of K.
  [[nodiscard]] constexpr unsigned along_k(unsigned row, unsigned chunk) const {
    const unsigned across = mode == 0 ? chunk * leading : chunk * 16;
    return swizzled(start + row % 8 * width() * 16 + row / 8 * stride + across);
  }
  // MN-major: where the place `k` has chunk `chunk` of M or N.
  [[nodiscard]] constexpr unsigned along_mn(unsigned k, unsigned chunk) const {
    if (mode == 0) return start + chunk * stride + k % 8 * 16 + k / 8 * leading;
    return swizzled(start + chunk % width() * 16 + chunk / width() * leading + k % 8 * width() * 16 + k / 8 * stride);
  }

 private:
  static constexpr unsigned field(std::uint64_t bits, unsigned first, unsigned count) {
    return static_cast<unsigned>(bits >> first & ((std::uint64_t{1} << count) - 1));
  }
  // Bits 4 and up of the address, as many as a row has chunks, meet those from bit 7 on. The pattern begins where these
  // are zero, or base_offset rows of 128 bytes later.
  [[nodiscard]] constexpr unsigned swizzled(unsigned address) const {
    return address ^ (((address >> 7U) - base_offset) & (width() - 1)) << 4U;
  }
};

}  // namespace wajah::shim
