// How rows are dealt out for a pair's sigmoid: row t is judged by the machine trained without the rows of fold t mod 5.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace wajah::svm {

inline constexpr std::size_t folds = 5;

// What a machine without the rows of `fold` says where those left are all of one class, or none; nothing if both are
// there.
inline std::optional<int> answer_of_one_class(std::span<const int> signs, std::size_t fold) {
  bool positive = false, negative = false;
  for (std::size_t t = 0; t < signs.size(); ++t)
    if (t % folds != fold) (signs[t] > 0 ? positive : negative) = true;
  if (positive && negative) return std::nullopt;
  return positive ? 1 : negative ? -1 : 0;
}

}  // namespace wajah::svm
