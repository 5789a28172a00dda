// Pairs of classes with few rows, several at a time: what makes training fast is that their machines are found side by
// side (kernels/cpu/start_pairs.cpp), and those that were not found are solved side by side (solve_pairs.cpp). A pair's
// result does not depend on the others it is trained with.
#pragma once

#include <wajah/buffer.hpp>
#include <wajah/svm/pair.hpp>
#include <wajah/svm/start_pairs.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <span>

namespace wajah::svm {

class PairBatch {
 public:
  static constexpr std::size_t most_pairs = 16;  // as many as start_pairs has lanes where vectors are widest

  // Whether a pair of so many rows can be in a batch.
  [[nodiscard]] static bool fits(std::size_t rows, std::size_t memory);

  // Pairs of one padded size may be in a batch together.
  [[nodiscard]] static std::size_t padded(std::size_t rows);

  PairBatch(const Kernel& kernel, const PairOptions& options);
  PairBatch(PairBatch&&) noexcept;
  ~PairBatch();

  // Needs at most most_pairs members that fit and have one padded size; as many results.
  void train(std::span<const PairMembers> members, std::span<Pair* const> results);

 private:
  class Slot;
  using Started = std::array<bool, most_pairs>;  // which pairs start_pairs was asked about

  void solve(std::span<PairJob> jobs, bool exact, bool look_only) const;
  void train_whole(std::span<Pair* const> results);
  void judge_folds(std::span<const PairStart> starts, const Started& started);

  Kernel kernel_;
  PairOptions options_;
  std::unique_ptr<Slot[]> slots_;
  Buffer scratch_;
};

}  // namespace wajah::svm
