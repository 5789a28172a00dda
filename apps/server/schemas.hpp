// The JSON Schemas (2020-12) that requests are checked against and answers promise, by name.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <map>
#include <span>
#include <string>
#include <string_view>

namespace wajah::server {

// Text, because that is how schemas are read and checked.
struct NamedSchema {
  std::string_view name, text;
};

// All of them, parsed, in the order of their names.
[[nodiscard]] const std::map<std::string, boost::json::value, std::less<>>& all_schemas();

// Throws std::out_of_range for a name that is not there.
[[nodiscard]] const boost::json::value& schema_of(std::string_view name);

// The areas' parts of the list.
[[nodiscard]] std::span<const NamedSchema> common_schemas();
[[nodiscard]] std::span<const NamedSchema> original_schemas();

}  // namespace wajah::server
