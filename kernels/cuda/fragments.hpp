// Which element of a matrix lies in which register of which lane, for the warp-wide products of the tensor cores (PTX
// ISA, "Matrix fragments for mma"). A: 16 x k, B: k x 8, C and D: 16 x 8, of a warp's 32 lanes in 8 groups of 4.
// The host build multiplies by these maps, and tests check that they cover every element once.
#pragma once

namespace wajah::fragments {

struct Position {
  int row = 0, column = 0;
  friend constexpr bool operator==(const Position&, const Position&) = default;
};

// Element i (0 to 3) of D: rows are those of A, columns those of B.
constexpr Position accumulator(int lane, int i) { return {lane / 4 + i / 2 * 8, lane % 4 * 2 + i % 2}; }

// m16n8k16, 16-bit elements, two a register: element i of A (0 to 7) and of B (0 to 3).
constexpr Position a_of_16_bits(int lane, int i) {
  return {lane / 4 + i / 2 % 2 * 8, lane % 4 * 2 + i % 2 + i / 4 * 8};
}
constexpr Position b_of_16_bits(int lane, int i) { return {lane % 4 * 2 + i % 2 + i / 2 * 8, lane / 4}; }

// m16n8k8, TF32, one a register: element i of A (0 to 3) and of B (0 to 1).
constexpr Position a_of_tf32(int lane, int i) { return {lane / 4 + i % 2 * 8, lane % 4 + i / 2 * 4}; }
constexpr Position b_of_tf32(int lane, int i) { return {lane % 4 + i * 4, lane / 4}; }

// m16n8k32, bytes, four a register: element i of A (0 to 15) and of B (0 to 7).
constexpr Position a_of_bytes(int lane, int i) { return {lane / 4 + i / 4 % 2 * 8, lane % 4 * 4 + i % 4 + i / 8 * 16}; }
constexpr Position b_of_bytes(int lane, int i) { return {lane % 4 * 4 + i % 4 + i / 4 * 16, lane / 4}; }

}  // namespace wajah::fragments
