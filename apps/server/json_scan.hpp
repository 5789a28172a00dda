// A look over JSON text before it becomes values, which take a dozen times the memory of their text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace wajah::server {

inline constexpr std::size_t most_json_values = 100'000;

// What speaks against reading it: more than `most` values, or a key that an object has twice, of which readers take
// different ones. Nothing for text that is no JSON: the parser says what is wrong with it.
[[nodiscard]] std::optional<std::string> fault_of_json(std::string_view text, std::size_t most = most_json_values);

}  // namespace wajah::server
