#include <wajah/ranges.hpp>
#include <wajah/text.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <vector>

namespace wajah {
namespace {

// The next word of a line, taken off its front; empty at its end.
std::string_view take_word(std::string_view& line) {
  const std::size_t space = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, space);
  line.remove_prefix(std::min(space + 1, line.size()));
  return word;
}

std::optional<float> number_of(std::string_view word) {
  float number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc{} || end != word.data() + word.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

// All tensors of a set, which stays alive as long as what is built from them.
Weights::Builder copy_of(const Weights& weights) {
  Weights::Builder builder(weights.source());
  builder.keep(std::make_shared<Weights>(weights));
  for (const auto& [name, tensor] : weights.tensors()) {
    builder.view(std::string(name), tensor.type, tensor.shape, tensor.bytes);
  }
  for (const auto& [key, value] : weights.metadata()) builder.metadata(key, value);
  return builder;
}

}  // namespace

std::string text_of(const Ranges& ranges) {
  std::string text;
  for (const auto& [name, range] : ranges) {
    text += fmt::format("{} {} {}", name, range.low, range.high);
    for (const float high : range.highs) text += fmt::format(" {}", high);
    text += '\n';
  }
  return text;
}

Ranges parse_ranges(std::string_view text, std::string_view source) {
  Ranges ranges;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::string_view rest = line;
    const std::string_view name = take_word(rest);
    const std::optional<float> low = number_of(take_word(rest));
    const std::optional<float> high = number_of(take_word(rest));
    std::vector<float> highs;
    bool numbers = true;
    while (!rest.empty() && numbers) {
      const std::optional<float> one = number_of(take_word(rest));
      numbers = one && *one >= 0;
      highs.push_back(one.value_or(0));
    }
    if (name.empty() || !low || !high || *low > *high || !numbers) {
      fail(ErrorKind::model, "{}: its range {} is not of the form 'name low high' or 'name low high highs'", source,
           quote(line));
    }
    ranges.insert_or_assign(std::string(name), MapRange{{*low, *high}, std::move(highs)});
  }
  return ranges;
}

Weights with_metadata(const Weights& weights, std::string key, std::string value) {
  Weights::Builder builder = copy_of(weights);
  builder.metadata(std::move(key), std::move(value));
  return std::move(builder).build();
}

Weights with_ranges(const Weights& weights) {
  const auto text = weights.metadata().find(std::string(ranges_key));
  if (text == weights.metadata().end()) {
    fail(ErrorKind::model,
         "{}: int8 needs the ranges of its maps, which these weights do not have yet; "
         "'wajah models quantise --weights FILE --photos DIR --output FILE' measures them on photos of faces",
         weights.source());
  }
  Weights::Builder builder = copy_of(weights);
  for (const auto& [name, range] : parse_ranges(text->second, weights.source())) {
    builder.add(fmt::format("{}/{}", name, range_name), {2}, std::array{range.low, range.high});
    if (range.highs.empty()) continue;
    builder.add(fmt::format("{}/{}", name, highs_name), {static_cast<std::int64_t>(range.highs.size())}, range.highs);
  }
  return std::move(builder).build();
}

}  // namespace wajah
