// Pairs of classes with few rows, several at a time: what makes training fast is that their machines are solved side by
// side (kernels/cpu/solve_pairs.cpp). A pair's result does not depend on the others it is trained with.
#pragma once

#include <wajah/buffer.hpp>
#include <wajah/svm/pair.hpp>

#include <cstddef>
#include <memory>
#include <span>

namespace wajah::svm {

class PairBatch {
 public:
  static constexpr std::size_t most_pairs = 4;

  // Whether a pair of so many rows can be in a batch.
  [[nodiscard]] static bool fits(std::size_t rows, std::size_t memory);

  // Pairs of one padded size may be in a batch together.
  [[nodiscard]] static std::size_t padded(std::size_t rows);

  PairBatch(const Kernel& kernel, const PairOptions& options);
  ~PairBatch();

  // Needs at most most_pairs members that fit and have one padded size; as many results.
  void train(std::span<const PairMembers> members, std::span<Pair* const> results);

 private:
  class Slot;

  Kernel kernel_;
  PairOptions options_;
  std::unique_ptr<Slot[]> slots_;
};

}  // namespace wajah::svm
