#!/usr/bin/env python3
"""Writes unicode_case.cpp: which code points Python's str.isupper() counts as upper case, and which forbid it.

    python3 apps/attendance/unicode_case.py > apps/attendance/unicode_case.cpp

A run of code points with one distance (1, or 2 where upper and lower case alternate) is one row.
"""
import sys
import unicodedata


def rows(code_points):
    """(first, last, step) of each run, greedily."""
    found, points = [], sorted(code_points)
    at = 0
    while at < len(points):
        step = min(points[at + 1] - points[at], 2) if at + 1 < len(points) else 1
        end = at
        while end + 1 < len(points) and points[end + 1] - points[end] == step:
            end += 1
        found.append((points[at], points[end], step))
        at = end + 1
    return found


def table(name, code_points):
    lines = [f"constexpr Run {name}[] = {{"]
    line = "   "
    for first, last, step in rows(code_points):
        entry = f" {{0x{first:04X}, 0x{last:04X}, {step}}},"
        if len(line) + len(entry) > 120:
            lines.append(line)
            line = "   "
        line += entry
    return "\n".join(lines + [line, "};"])


def main():
    characters = [chr(c) for c in range(sys.maxunicode + 1)]
    upper = [ord(c) for c in characters if c.isupper()]
    other = [ord(c) for c in characters if c.islower() or unicodedata.category(c) == "Lt"]
    print(f"""// Written by unicode_case.py; do not edit.
#include "attendance/unicode_case.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <span>

namespace wajah::attendance {{
namespace {{

struct Run {{
  std::uint32_t first, last, step;
}};

// clang-format off
{table("upper_case", upper)}

{table("lower_or_title_case", other)}
// clang-format on

bool contains(std::span<const Run> runs, std::uint32_t value) {{
  const auto after = std::ranges::upper_bound(runs, value, {{}}, &Run::first);
  if (after == runs.begin()) return false;
  const Run& run = *std::prev(after);
  return value <= run.last && (value - run.first) % run.step == 0;
}}

}}  // namespace

std::string_view unicode_version() {{ return "{unicodedata.unidata_version}"; }}

bool is_upper_case(char32_t code_point) {{ return contains(upper_case, code_point); }}
bool is_lower_or_title_case(char32_t code_point) {{ return contains(lower_or_title_case, code_point); }}

}}  // namespace wajah::attendance""")


if __name__ == "__main__":
    main()
