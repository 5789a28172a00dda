// What somebody may have meant by a word that is not known.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace wajah::cli {

// Insertions, deletions, substitutions and swaps of neighbours from one word to the other (Damerau 1964, the restricted
// form: no letter is edited twice).
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// The nearest of `known`, if it is near enough to be a slip of the fingers; otherwise empty.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

// "; did you mean detect?" or nothing.
[[nodiscard]] std::string suggestion(std::string_view word, std::span<const std::string_view> known);

}  // namespace wajah::cli
