// The host's reading of matrix descriptors against the PTX ISA's worked examples, and the kernels' writing of them
// against the host's reading. All while compiling.
#include "matrix_descriptor.hpp"

#include "check.hpp"
#include "hopper.hpp"
#include "warpgroup.hpp"

namespace wajah {
namespace {

using shim::MatrixDescriptor;

constexpr std::uint64_t bits_of(unsigned start, unsigned leading, unsigned stride, std::uint64_t mode,
                                std::uint64_t base_offset = 0) {
  return start >> 4U | std::uint64_t{leading >> 4U} << 16U | std::uint64_t{stride >> 4U} << 32U | base_offset << 49U |
         mode << 62U;
}

static_assert(MatrixDescriptor(bits_of(0x12340, 0x100, 0x400, 1, 5)).start == 0x12340);
static_assert(MatrixDescriptor(bits_of(0x12340, 0x100, 0x400, 1, 5)).leading == 0x100);
static_assert(MatrixDescriptor(bits_of(0x12340, 0x100, 0x400, 1, 5)).stride == 0x400);
static_assert(MatrixDescriptor(bits_of(0x12340, 0x100, 0x400, 1, 5)).base_offset == 5);
static_assert(MatrixDescriptor(bits_of(0, 0, 0, 3)).mode == 3 && MatrixDescriptor::clean(bits_of(16, 16, 16, 2, 7)));
static_assert(!MatrixDescriptor::clean(1U << 14U) && !MatrixDescriptor::clean(std::uint64_t{1} << 52U));

// Swizzle<B, 4, 3> of an address in bytes.
constexpr unsigned swizzle(unsigned b, unsigned address) {
  return address ^ ((address >> 3U) & (((1U << b) - 1) << 4U));
}

// The "exact layouts" of the examples in "Canonical Layouts", of two repetitions in each direction; in elements.
constexpr bool k_major_tf32_unswizzled() {
  const MatrixDescriptor d(bits_of(0, 64 * 4, 32 * 4, 0));
  for (unsigned row = 0; row < 16; ++row) {
    for (unsigned k = 0; k < 16; k += 4) {
      const unsigned element = row % 8 * 4 + row / 8 * 32 + k / 4 * 64;
      if (d.along_k(row, k / 4) != element * 4) return false;
    }
  }
  return true;
}
static_assert(k_major_tf32_unswizzled());

constexpr bool k_major_tf32_by_32_bytes() {
  const MatrixDescriptor d(bits_of(0, 16, 64 * 4, 3));
  for (unsigned row = 0; row < 16; ++row) {
    for (unsigned k = 0; k < 8; k += 4) {
      const unsigned element = row % 8 * 8 + row / 8 * 64 + k / 4 * 4;
      if (d.along_k(row, k / 4) != swizzle(1, element * 4)) return false;
    }
  }
  return true;
}
static_assert(k_major_tf32_by_32_bytes());

// ((8, wide, 2), (8, 2)) : ((1, 8, next), (8 * wide, below)) of bfloat16, N innermost.
constexpr bool mn_major_bf16(std::uint64_t mode, unsigned b, unsigned wide, unsigned next, unsigned below) {
  const bool plain = mode == 0;
  const MatrixDescriptor d(bits_of(0, (plain ? below : next) * 2, (plain ? next : below) * 2, mode));
  for (unsigned n = 0; n < 16 * wide; n += 8) {
    for (unsigned k = 0; k < 16; ++k) {
      const unsigned element = n / 8 % wide * 8 + n / 8 / wide * next + k % 8 * 8 * wide + k / 8 * below;
      if (d.along_mn(k, n / 8) != swizzle(b, element * 2)) return false;
    }
  }
  return true;
}
static_assert(mn_major_bf16(0, 0, 1, 64, 128));
static_assert(mn_major_bf16(3, 1, 2, 128, 256));
static_assert(mn_major_bf16(2, 2, 4, 256, 512));
static_assert(mn_major_bf16(1, 3, 8, 512, 1024));  // the canonical layout; the ISA draws it and gives no numbers

// 128 bytes: of row r, chunk c lies where chunk c ^ r would (figure "K major 128B swizzling").
static_assert(MatrixDescriptor(bits_of(0, 16, 1024, 1)).along_k(5, 2) == 5 * 128 + (2 ^ 5) * 16);
static_assert(MatrixDescriptor(bits_of(0, 16, 1024, 1)).along_k(13, 1) == 1024 + 5 * 128 + (1 ^ 5) * 16);
static_assert(MatrixDescriptor(bits_of(32, 16, 1024, 1)).along_k(3, 0) == 3 * 128 + (2 ^ 3) * 16);
// A pattern that begins three rows after a multiple of 1024 bytes.
static_assert(MatrixDescriptor(bits_of(0x400 + 3 * 128, 16, 1024, 1, 3)).along_k(0, 1) == 0x400 + 3 * 128 + 16);
static_assert(MatrixDescriptor(bits_of(0x400 + 3 * 128, 16, 1024, 1, 3)).along_k(6, 1) == 0x800 + 128 + (1 ^ 6) * 16);

// What kernels say of matrices that the TMA brings: rows of 128 bytes from a multiple of 1024 on, swizzled.
constexpr unsigned brought(unsigned first, unsigned row, unsigned chunk) {
  return first + row * 128 + ((chunk ^ row) % 8) * 16;
}
constexpr bool left_is_read_as_brought(unsigned first) {
  for (unsigned step = 0; step < 4; ++step) {
    const MatrixDescriptor d(warpgroup::left_descriptor(first) + step * warpgroup::left_step);
    for (unsigned row = 0; row < 64; ++row) {
      for (unsigned chunk = 0; chunk < 2; ++chunk) {
        if (d.along_k(row, chunk) != brought(first, row, step * 2 + chunk)) return false;
      }
    }
  }
  return true;
}
static_assert(left_is_read_as_brought(0x800) && left_is_read_as_brought(0x38000));

constexpr bool right_is_read_as_brought(unsigned first, unsigned columns) {
  for (unsigned step = 0; step < 4; ++step) {
    const MatrixDescriptor d(warpgroup::right_descriptor(first, 8192) + step * warpgroup::right_step);
    for (unsigned k = 0; k < 16; ++k) {
      for (unsigned chunk = 0; chunk < columns / 8; ++chunk) {
        if (d.along_mn(k, chunk) != brought(first + chunk / 8 * 8192, step * 16 + k, chunk % 8)) return false;
      }
    }
  }
  return true;
}
static_assert(right_is_read_as_brought(0x4800, 64) && right_is_read_as_brought(0x30400, 256));
static_assert(MatrixDescriptor::clean(warpgroup::left_descriptor(0x38000)));
static_assert(MatrixDescriptor::clean(warpgroup::right_descriptor(0x38000, 8192)));

// Both readings of the figure "register fragment layout for accumulator matrix D", and that it holds every sum once.
constexpr bool sums_are_where_both_say() {
  bool seen[64][256] = {};
  for (int thread = 0; thread < 128; ++thread) {
    for (int i = 0; i < 128; ++i) {
      const fragments::Position at = shim::sum_of_group(thread, i);
      const warpgroup::Position same = warpgroup::sum_position(thread, i);
      if (at.row != same.row || at.column != same.column || seen[at.row][at.column]) return false;
      seen[at.row][at.column] = true;
    }
  }
  return true;
}
static_assert(sums_are_where_both_say());

}  // namespace
}  // namespace wajah
