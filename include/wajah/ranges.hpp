// Ranges: which values the inputs of convolutions take, by their full names. What computing on bytes needs besides the
// weights. A file carries them in its metadata, so the same file serves float32, which has no use for them.
#pragma once

#include <wajah/layers/quantise.hpp>
#include <wajah/weights.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace wajah {

inline constexpr std::string_view ranges_key = "int8.ranges";

struct MapRange : Range {
  std::vector<float> highs;  // of each channel, for a layer that reads each by itself; empty otherwise
};

using Ranges = std::map<std::string, MapRange, std::less<>>;

// "name low high" a line, then highs if there are any, and back. Throws Error (model) naming `source` and the line that
// is not.
[[nodiscard]] std::string text_of(const Ranges& ranges);
[[nodiscard]] Ranges parse_ranges(std::string_view text, std::string_view source);

// The same tensors with one more entry of metadata.
[[nodiscard]] Weights with_metadata(const Weights& weights, std::string key, std::string value);

// The same weights with the tensors "<name>/input.range" and input.highs that layers of bytes ask for, from the
// metadata. Throws Error (model) if there are no ranges, saying which command makes them.
[[nodiscard]] Weights with_ranges(const Weights& weights);

}  // namespace wajah
