// One table for an enumeration's words, read in both directions.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace wajah::attendance {

template <class E, std::size_t n>
using Names = std::array<std::pair<E, std::string_view>, n>;

template <class E, std::size_t n>
[[nodiscard]] constexpr std::string_view name_in(const Names<E, n>& names, E value) {
  for (const auto& [known, name] : names) {
    if (known == value) return name;
  }
  return "unknown";
}

template <class E, std::size_t n>
[[nodiscard]] constexpr std::optional<E> value_in(const Names<E, n>& names, std::string_view text) {
  for (const auto& [value, name] : names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

}  // namespace wajah::attendance
