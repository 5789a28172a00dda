// How matrices lie in shared memory for a warpgroup's products, and where its sums are. Checked while compiling,
// against single places of the PTX ISA's figures; the host build has its own reading of the same pages
// (matrix_descriptor.hpp).
//
// Both matrices lie as the TMA brings them: rows of 128 bytes (64 words), and of every eight rows, which begin at a
// multiple of 1024 bytes, row r has its chunks of 16 bytes at (chunk ^ r). A row of the left matrix is 64 places of its
// depth; a row of the right one is 64 columns at one place of the depth, and more columns follow as further blocks.
#pragma once

#include <stdint.h>

namespace wajah::warpgroup {

constexpr int rows = 64, depth = 16;            // of a product
constexpr int row_bytes = 128, row_words = 64;  // of a matrix in shared memory
constexpr int pattern_bytes = 8 * row_bytes;    // of the swizzle
constexpr uint64_t swizzle_of_128_bytes = uint64_t{1} << 62;

struct Position {
  int row = 0, column = 0;
  friend constexpr bool operator==(const Position&, const Position&) = default;
};

// Element i of a warpgroup's thread.
constexpr Position sum_position(int thread, int i) {
  return {thread / 32 * 16 + thread % 32 / 4 + (i % 4 >= 2 ? 8 : 0), i / 4 * 8 + thread % 4 * 2 + i % 2};
}

constexpr uint64_t in_descriptor(int bytes) { return static_cast<uint64_t>(bytes) / 16; }

// A left matrix: eight rows further are 1024 bytes further. The leading offset means nothing where rows are swizzled.
constexpr uint64_t left_descriptor(unsigned address) {
  return in_descriptor(static_cast<int>(address)) | in_descriptor(16) << 16 | in_descriptor(pattern_bytes) << 32 |
         swizzle_of_128_bytes;
}
// A right one, of which each 64 columns are a block of `block_bytes`.
constexpr uint64_t right_descriptor(unsigned address, int block_bytes) {
  return in_descriptor(static_cast<int>(address)) | in_descriptor(block_bytes) << 16 |
         in_descriptor(pattern_bytes) << 32 | swizzle_of_128_bytes;
}
// What is added to a descriptor for the next 16 places of the depth: of the left matrix within its rows, of the right
// one 16 rows. No carry leaves the field while addresses stay below 256 KB.
constexpr uint64_t left_step = in_descriptor(depth * 2), right_step = in_descriptor(depth * row_bytes);

static_assert(sum_position(0, 0) == Position{0, 0} && sum_position(5, 3) == Position{9, 3});
static_assert(sum_position(127, 4) == Position{55, 14} && sum_position(33, 6) == Position{24, 10});
static_assert(left_descriptor(0x400) == 0x4000'0040'0001'0040 &&
              right_descriptor(0x800, 8192) == 0x4000'0040'0200'0080);
static_assert(left_step == 2 && right_step == 128);

}  // namespace wajah::warpgroup
