#include <wajah/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace wajah {
namespace {

// Length of the UTF-8 sequence that starts with `lead`, 0 if none does, and the range allowed for its second byte:
// the narrowed ranges are what rules out overlong forms, surrogates and values above U+10FFFF.
struct Sequence {
  std::size_t size;
  unsigned char low = 0x80, high = 0xBF;
};

Sequence sequence_of(unsigned char lead) {
  if (lead < 0x80) return {1};
  if (lead < 0xC2) return {0};
  if (lead < 0xE0) return {2};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead < 0xF0) return {3};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead < 0xF4) return {4};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {0};
}

}  // namespace

std::string quote(std::string_view text, std::size_t limit) {
  std::string out = "'";
  for (const char c : text.substr(0, limit)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  out += text.size() > limit ? "...'" : "'";
  return out;
}

std::string shape_text(std::span<const std::int64_t> shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto at = [&](std::size_t k) { return static_cast<unsigned char>(text[i + k]); };
    const Sequence s = sequence_of(at(0));
    if (s.size == 0 || s.size > text.size() - i) return false;
    if (s.size > 1 && (at(1) < s.low || at(1) > s.high)) return false;
    for (std::size_t k = 2; k < s.size; ++k) {
      if ((at(k) & 0xC0) != 0x80) return false;
    }
    i += s.size;
  }
  return true;
}

}  // namespace wajah
