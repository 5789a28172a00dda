#include "server/path.hpp"

#include "server/text.hpp"

#include <algorithm>

namespace wajah::server {
namespace {

std::string_view origin_form(std::string_view target) {
  if (!equal_ignoring_case(target.substr(0, 7), "http://")) return target;
  target.remove_prefix(std::min(target.find_first_of("/?#", 7), target.size()));
  return target;
}

// Takes the part up to the next slash off the front of `path`, with the slash.
std::string_view take_segment(std::string_view& path) {
  const auto segment = path.substr(0, path.find('/'));
  path.remove_prefix(std::min(segment.size() + 1, path.size()));
  return segment;
}

// Whether `segment` fits `pattern`: literal, or {name} with a literal behind it.
bool match_segment(std::string_view pattern, std::string_view segment, PathValues& values) {
  if (!pattern.starts_with('{')) return pattern == segment;
  const auto close = pattern.find('}');
  const auto suffix = pattern.substr(close + 1);
  if (!segment.ends_with(suffix) || segment.size() == suffix.size()) return false;
  values.emplace(pattern.substr(1, close - 1), segment.substr(0, segment.size() - suffix.size()));
  return true;
}

}  // namespace

std::optional<std::vector<std::string>> segments_of(std::string_view target) {
  auto path = origin_form(target);
  path = path.substr(0, path.find_first_of("?#"));
  if (path.empty()) path = "/";
  if (!path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  std::vector<std::string> segments;
  while (!path.empty()) {
    auto segment = percent_decode(take_segment(path));
    if (!segment) return std::nullopt;
    segments.push_back(std::move(*segment));
  }
  return segments;
}

std::string_view query_of(std::string_view target) {
  const auto begin = target.find('?');
  if (begin == std::string_view::npos) return {};
  const auto query = target.substr(begin + 1);
  return query.substr(0, query.find('#'));
}

std::optional<PathValues> match_path(std::string_view path_template, const std::vector<std::string>& segments) {
  PathValues values;
  auto rest = path_template.substr(1);
  for (const auto& segment : segments) {
    if (rest.empty() || !match_segment(take_segment(rest), segment, values)) return std::nullopt;
  }
  if (!rest.empty()) return std::nullopt;
  return values;
}

}  // namespace wajah::server
