#include "cli/json_text.hpp"

#include "server/json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

namespace wajah::cli {

namespace json = boost::json;

json::value number(float value) {
  if (!std::isfinite(value)) return nullptr;
  return std::strtod(fmt::format("{}", value).c_str(), nullptr);
}

json::value rounded(double value, int digits) {
  if (!std::isfinite(value)) return nullptr;
  const double scale = std::pow(10.0, digits);
  return std::round(value * scale) / scale;
}

void print_json(const json::value& value) { fmt::print("{}\n", server::to_text(value)); }

}  // namespace wajah::cli
