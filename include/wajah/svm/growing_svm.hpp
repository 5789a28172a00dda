// GrowingSvm: pairs of classes as in Svm, for a gallery that changes: a machine is made from the one before, and the
// two share every pair that did not change. Pairs know nothing of each other, so it is the machine that training on
// everything from the start would give, to the last bit, after whatever changes.
#pragma once

#include <wajah/svm/packed_rows.hpp>
#include <wajah/svm/svm.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace wajah::svm {

// All rows of one class, which machines share with whoever made them.
struct SharedClass {
  std::int64_t label = 0;
  std::shared_ptr<const PackedRows> rows;
};

// Immutable, so any number of threads may ask it while the next one is being made. Copies share everything.
class GrowingSvm {
 public:
  // Of nobody. Options as in Svm::train, except that of the two kernels only the linear one is taken.
  explicit GrowingSvm(const SvmOptions& options);

  // The machine after some classes were added or got other rows (`put`), and others went; k - 1 pairs are trained for
  // each of `put`, none for a class that goes. Labels in `gone` that are not there are passed over. Throws as
  // Svm::train does, and Error(input) when a label is twice in `put` or there are no rows, of different width or not
  // finite; *this is untouched.
  [[nodiscard]] GrowingSvm changed(std::vector<SharedClass> put, std::span<const std::int64_t> gone) const;

  // In rising order, which is that of every result.
  [[nodiscard]] std::size_t size() const { return classes_.size(); }
  [[nodiscard]] std::int64_t label(std::size_t c) const;
  // The pair of classes i < j, the first of them +1.
  [[nodiscard]] const Pair& pair(std::size_t i, std::size_t j) const;

  // k (k - 1) / 2 values in the order of pair_index, and k probabilities of sum 1; see Svm.
  [[nodiscard]] std::vector<double> decision_values(std::span<const float> x) const;
  [[nodiscard]] std::vector<double> probabilities(std::span<const float> x) const;

 private:
  struct Class;
  struct Pairs;

  static void check(std::span<const SharedClass> put);
  void train(std::uint64_t first_new);
  template <class Visit>
  void for_each_pair(Visit visit) const;
  void compact();

  SvmOptions options_;
  std::size_t dimensions_ = 0;
  std::uint64_t next_serial_ = 1;
  std::vector<std::shared_ptr<const Class>> classes_;  // by label
  std::vector<std::shared_ptr<const Pairs>> pairs_;    // of each class with those that were there before it
};

}  // namespace wajah::svm
