// Where a page of a sorted list ended, as an opaque text for clients: the last row's sort key and id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wajah::attendance {

struct PageMark {
  std::string key;
  std::int64_t id = 0;
};

[[nodiscard]] std::string text_of(const PageMark& mark);

// Nothing for the empty text. Throws Error (input) if text_of() did not make it.
[[nodiscard]] std::optional<PageMark> mark_in(std::string_view text);

}  // namespace wajah::attendance
