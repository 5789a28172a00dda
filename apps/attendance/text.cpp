#include "attendance/text.hpp"

#include "attendance/unicode_case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <iterator>

namespace wajah::attendance {
namespace {

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

struct Range {
  char32_t first, last;
};

// Characters that end a line, move the cursor, reorder what is displayed, or hide in it. Joiners (U+200C, U+200D) are
// left alone: names in Persian and Indic scripts need them.
constexpr Range unsafe_ranges[] = {{0x0000, 0x001F}, {0x007F, 0x009F}, {0x00AD, 0x00AD},  {0x061C, 0x061C},
                                   {0x200B, 0x200B}, {0x200E, 0x200F}, {0x2028, 0x202E},  {0x2060, 0x206F},
                                   {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F}};

bool is_unsafe(char32_t c) {
  return std::ranges::any_of(unsafe_ranges, [c](const Range& range) { return c >= range.first && c <= range.last; });
}

void append_escape(std::string& to, char32_t c) {
  const auto value = static_cast<std::uint32_t>(c);
  auto out = std::back_inserter(to);
  if (value <= 0x7F) {
    fmt::format_to(out, "\\x{:02x}", value);
  } else if (value <= 0xFFFF) {
    fmt::format_to(out, "\\u{:04x}", value);
  } else {
    fmt::format_to(out, "\\U{:08x}", value);
  }
}

// How the bytes that may follow a first byte are bounded (Unicode 14, table 3-7).
struct Sequence {
  int following;                  // -1: no sequence begins with this byte
  unsigned char lowest, highest;  // of the second byte
};

Sequence sequence_of(unsigned char first) {
  if (first <= 0x7F) return {0, 0, 0};
  if (first >= 0xC2 && first <= 0xDF) return {1, 0x80, 0xBF};
  if (first == 0xE0) return {2, 0xA0, 0xBF};
  if (first == 0xED) return {2, 0x80, 0x9F};
  if (first >= 0xE1 && first <= 0xEF) return {2, 0x80, 0xBF};
  if (first == 0xF0) return {3, 0x90, 0xBF};
  if (first >= 0xF1 && first <= 0xF3) return {3, 0x80, 0xBF};
  if (first == 0xF4) return {3, 0x80, 0x8F};
  return {-1, 0, 0};
}

// Digits and the power of ten of the first one: value = d.ddd * 10^exponent.
struct Decimal {
  std::string digits;
  int exponent = 0;
};

Decimal shortest_decimal(double magnitude) {
  std::array<char, 32> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), magnitude, std::chars_format::scientific);
  const std::string_view whole(text.data(), static_cast<std::size_t>(written.ptr - text.data()));
  const auto mark = whole.find('e');
  Decimal decimal;
  std::ranges::copy_if(whole.substr(0, mark), std::back_inserter(decimal.digits), [](char c) { return c != '.'; });
  const auto exponent = whole.substr(whole[mark + 1] == '+' ? mark + 2 : mark + 1);
  std::from_chars(exponent.data(), exponent.data() + exponent.size(), decimal.exponent);
  return decimal;
}

std::string in_scientific_notation(const Decimal& decimal) {
  const auto tail = decimal.digits.size() > 1 ? "." + decimal.digits.substr(1) : std::string();
  return fmt::format("{}{}e{}{:02}", decimal.digits[0], tail, decimal.exponent < 0 ? '-' : '+',
                     std::abs(decimal.exponent));
}

std::string in_positional_notation(Decimal decimal) {
  if (decimal.exponent < 0) {
    return "0." + std::string(static_cast<std::size_t>(-decimal.exponent - 1), '0') + decimal.digits;
  }
  const auto whole = static_cast<std::size_t>(decimal.exponent) + 1;
  if (decimal.digits.size() <= whole) decimal.digits.resize(whole + 1, '0');
  return decimal.digits.insert(whole, ".");
}

}  // namespace

bool valid_nik(std::string_view nik) {
  if (nik.empty() || nik.size() > 64 || !is_alphanumeric(nik.front())) return false;
  return std::ranges::all_of(nik, [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

std::optional<char32_t> next_code_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto first = byte(0);
  const Sequence sequence = sequence_of(first);
  const auto length = static_cast<std::size_t>(sequence.following + 1);
  bool well_formed = sequence.following >= 0 && text.size() >= length;
  char32_t value = sequence.following <= 0 ? first : first & (0x3FU >> sequence.following);
  for (std::size_t i = 1; well_formed && i < length; ++i) {
    well_formed = i == 1 ? byte(i) >= sequence.lowest && byte(i) <= sequence.highest : (byte(i) & 0xC0U) == 0x80U;
    value = (value << 6U) | (byte(i) & 0x3FU);
  }
  text.remove_prefix(well_formed ? length : 1);
  return well_formed ? std::optional(value) : std::nullopt;
}

bool is_upper(std::string_view text) {
  bool cased = false;
  while (!text.empty()) {
    const auto c = next_code_point(text);
    if (!c || is_lower_or_title_case(*c)) return false;
    cased = cased || is_upper_case(*c);
  }
  return cased;
}

std::optional<std::string> fault_of_name(std::string_view name) {
  if (name.empty()) return "it is empty";
  std::size_t length = 0;
  while (!name.empty()) {
    const auto c = next_code_point(name);
    if (!c) return "it is not valid UTF-8";
    if (is_unsafe(*c)) return fmt::format("it holds the control character U+{:04X}", static_cast<std::uint32_t>(*c));
    ++length;
  }
  if (length > max_name_length) {
    return fmt::format("it has {} characters, {} are the most", length, max_name_length);
  }
  return std::nullopt;
}

std::string escape(std::string_view text, std::string_view also) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    const auto rest = text;
    const auto c = next_code_point(text);
    if (!c) {
      fmt::format_to(std::back_inserter(escaped), "\\x{:02x}", static_cast<unsigned char>(rest.front()));
    } else if (*c == U'\\') {
      escaped += "\\\\";
    } else if (is_unsafe(*c) || (*c <= 0x7F && also.find(static_cast<char>(*c)) != std::string_view::npos)) {
      append_escape(escaped, *c);
    } else {
      escaped += rest.substr(0, rest.size() - text.size());
    }
  }
  return escaped;
}

// CPython's float_repr_style "short": positional notation while the first digit's place is between 1e-4 and 1e15.
std::string python_float(double value) {
  if (std::isnan(value)) return "nan";
  const std::string sign = std::signbit(value) ? "-" : "";
  if (std::isinf(value)) return sign + "inf";
  const Decimal decimal = shortest_decimal(std::abs(value));
  const bool positional = decimal.exponent >= -4 && decimal.exponent < 16;
  return sign + (positional ? in_positional_notation(decimal) : in_scientific_notation(decimal));
}

}  // namespace wajah::attendance
