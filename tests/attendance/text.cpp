// NIK, names, escapes and floats: the rules about texts, against their definition in Python where there is one.
#include "attendance/text.hpp"

#include "attendance/unicode_case.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace wajah::attendance;

namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { ::pclose(file); }
};

// What a program prints; empty if it cannot be run.
std::string output_of(const std::string& command) {
  const std::unique_ptr<std::FILE, CloseFile> pipe(::popen(command.c_str(), "r"));
  std::string output;
  char buffer[4096];
  while (pipe) {
    const auto length = std::fread(buffer, 1, sizeof buffer, pipe.get());
    if (length == 0) break;
    output.append(buffer, length);
  }
  return output;
}

std::string python(const std::string& program) { return output_of("python3 -c '" + program + "' 2>/dev/null"); }

std::string utf8(char32_t c) {
  const auto value = static_cast<std::uint32_t>(c);
  const auto tail = [&](unsigned shift) { return static_cast<char>(0x80U | ((value >> shift) & 0x3FU)); };
  if (value < 0x80) return {static_cast<char>(value)};
  if (value < 0x800) return {static_cast<char>(0xC0U | (value >> 6U)), tail(0)};
  if (value < 0x10000) return {static_cast<char>(0xE0U | (value >> 12U)), tail(6), tail(0)};
  return {static_cast<char>(0xF0U | (value >> 18U)), tail(12), tail(6), tail(0)};
}

// The inverse of escape(), which the product never needs.
std::string unescape(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    if (text[0] != '\\') {
      plain += text[0];
      text.remove_prefix(1);
    } else if (text[1] == '\\') {
      plain += '\\';
      text.remove_prefix(2);
    } else {
      const std::size_t digits = text[1] == 'x' ? 2 : text[1] == 'u' ? 4 : 8;
      const auto value = std::stoul(std::string(text.substr(2, digits)), nullptr, 16);
      plain += digits == 2 ? std::string(1, static_cast<char>(value)) : utf8(static_cast<char32_t>(value));
      text.remove_prefix(2 + digits);
    }
  }
  return plain;
}

}  // namespace

TEST_CASE("a NIK is 1 to 64 letters, digits, dots, dashes and underscores and begins with a letter or digit") {
  for (const char* good : {"1", "12345", "A", "a.b_c-d", "9...", "3201010101010001"})
    CHECK_MESSAGE(valid_nik(good), good);
  for (const char* bad :
       {"", ".", "..", "-1", "_1", "a/b", "../x", "a b", "a\n", "a,b", "a%2e", "\xC3\x89", "a:b", "C:\\"}) {
    CHECK_FALSE_MESSAGE(valid_nik(bad), bad);
  }
  CHECK(valid_nik(std::string(64, 'x')));
  CHECK_FALSE(valid_nik(std::string(65, 'x')));
  CHECK_FALSE(valid_nik(std::string_view("a\0b", 3)));
}

TEST_CASE("is_upper follows str.isupper") {
  for (const char* good :
       {"BUDI", "DENNIS 2", "SITI AMINAH, S.KOM", "ÉMILE", "ÅSE", "ΑΘΗΝΑ", "МИР", "A\n", "Ⓐ", "A中"}) {
    CHECK_MESSAGE(is_upper(good), good);
  }
  for (const char* bad :
       {"", "123", "Budi", "BUDI a", "STRAßE", "ǅ", "A\xC5\xBF", "中", "\xFF", "A\xC3", "\xED\xA0\x80"}) {
    CHECK_FALSE_MESSAGE(is_upper(bad), bad);
  }
}

TEST_CASE("is_upper agrees with python3 about every code point") {
  const auto version = python("import unicodedata; print(unicodedata.unidata_version, end=\"\")");
  if (version != unicode_version()) {
    MESSAGE("skipped: python3 has Unicode " << (version.empty() ? "(no python3)" : version) << ", the table "
                                            << unicode_version());
    return;
  }
  // One character a code point: its own verdict, and whether it spoils an upper-case name.
  const auto verdicts = python(
      "import sys; print(\"\".join(str(chr(c).isupper() + 2 * (\"A\" + chr(c)).isupper()) "
      "for c in range(0x110000) if not 0xD800 <= c < 0xE000), end=\"\")");
  REQUIRE(verdicts.size() == 0x110000 - 0x800);
  std::size_t at = 0;
  std::string differing;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    const int verdict = int{is_upper(utf8(c))} + 2 * int{is_upper("A" + utf8(c))};
    if (verdict != verdicts[at++] - '0') differing += fmt::format(" U+{:04X}", static_cast<std::uint32_t>(c));
  }
  CHECK_MESSAGE(differing.empty(), differing);
}

TEST_CASE("only well-formed UTF-8 has code points") {
  const auto first = [](std::string_view text) { return next_code_point(text); };
  CHECK(first("\xC3\x89") == U'É');
  CHECK(first("\xF0\x9F\x98\x80") == U'😀');
  CHECK(first("\xF4\x8F\xBF\xBF") == char32_t{0x10FFFF});
  for (const char* bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC3", "\xE2\x82", "\xC3(", "\xE2(\xA1"}) {
    CHECK_FALSE(first(bad).has_value());
  }
  std::string_view rest = "\xC3(";
  CHECK_FALSE(next_code_point(rest).has_value());
  CHECK(rest == "(");
}

TEST_CASE("names are texts without control or direction characters") {
  CHECK_FALSE(fault_of_name("SITI NURHALIZA, S.KOM").has_value());
  CHECK_FALSE(fault_of_name("O'BRIEN-ÉCOLE").has_value());
  for (const char* bad : {"", "A\nB", "A\x1B[2J", "A\xE2\x80\xA8", "A\xE2\x80\xAE", "A\xC2\x85", "A\xFF",
                          "\xEF\xBB\xBF"
                          "A"}) {
    CHECK_MESSAGE(fault_of_name(bad).has_value(), escape(bad));
  }
  CHECK_FALSE(fault_of_name(std::string(128, 'A')).has_value());
  CHECK(fault_of_name(std::string(129, 'A')).has_value());
}

TEST_CASE("an escaped text is one visible line and reads back") {
  CHECK(escape("BUDI") == "BUDI");
  CHECK(escape("a\nb\r\x1B\\") == "a\\x0ab\\x0d\\x1b\\\\");
  CHECK(escape("\xC2\x85\xE2\x80\xA8\xE2\x80\xAE") == "\\u0085\\u2028\\u202e");
  CHECK(escape("\xF3\xA0\x80\x81") == "\\U000e0001");
  CHECK(escape("\xFF\xC3") == "\\xff\\xc3");
  CHECK(escape("É中") == "É中");
  CHECK(escape("1, Name: X", ",") == "1\\x2c Name: X");

  std::mt19937 random(1);
  const std::vector<std::string> pieces = {"\n",
                                           "\r",
                                           "\\",
                                           "\\x0a",
                                           ",",
                                           "A",
                                           "É",
                                           "\xFF",
                                           "\xE2\x80\xA8",
                                           "\xE2\x80",
                                           std::string(1, '\0'),
                                           "\xF3\xA0\x80\x81"};
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (auto length = random() % 12; length > 0; --length) text += pieces[random() % pieces.size()];
    const auto escaped = escape(text, ",");
    REQUIRE(escaped.find_first_of("\n\r,") == std::string::npos);
    REQUIRE(unescape(escaped) == text);
  }
}

TEST_CASE("floats are written as Python writes them") {
  const std::vector<std::pair<double, std::string>> table = {{0.0, "0.0"},
                                                             {-0.0, "-0.0"},
                                                             {1.0, "1.0"},
                                                             {0.9993, "0.9993"},
                                                             {0.1 + 0.2, "0.30000000000000004"},
                                                             {1e-4, "0.0001"},
                                                             {1e-5, "1e-05"},
                                                             {1.5e-7, "1.5e-07"},
                                                             {1e15, "1000000000000000.0"},
                                                             {1e16, "1e+16"},
                                                             {123456789.125, "123456789.125"},
                                                             {1e22, "1e+22"},
                                                             {5e-324, "5e-324"},
                                                             {1.7976931348623157e308, "1.7976931348623157e+308"},
                                                             {9007199254740993.0, "9007199254740992.0"},
                                                             {-2.5, "-2.5"},
                                                             {100.0, "100.0"},
                                                             {std::numeric_limits<double>::infinity(), "inf"},
                                                             {-std::numeric_limits<double>::infinity(), "-inf"},
                                                             {std::nan(""), "nan"}};
  for (const auto& [value, expected] : table) CHECK(python_float(value) == expected);
}

TEST_CASE("python3 writes the same for many floats") {
  std::mt19937_64 random(2);
  std::vector<double> values;
  std::string program = "import struct\nfor bits in (";
  for (int i = 0; i < 3000; ++i) {
    // Any bit pattern, and probabilities, which are what the log holds.
    const double value =
        i % 2 ? std::bit_cast<double>(random()) : std::ldexp(static_cast<double>(random() >> 11U), -53);
    values.push_back(value);
    program += fmt::format("{},", std::bit_cast<std::uint64_t>(value));
  }
  program += "):\n  print(struct.unpack(\"d\", struct.pack(\"Q\", bits))[0])";
  const auto printed = python(program);
  if (printed.empty()) {
    MESSAGE("skipped: python3 cannot be run");
    return;
  }
  std::string ours;
  for (const double value : values) ours += python_float(value) + "\n";
  CHECK(ours == printed);
}
