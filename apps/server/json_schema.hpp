// Checks JSON values against the part of JSON Schema 2020-12 that the API's schemas use: requests before they reach a
// handler, and in tests every answer.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::server {

struct Violation {
  boost::json::array location;  // keys and indices from the root
  std::string message;          // "expected an integer, got a string"
  std::string type;             // "int_type", "missing", "extra_forbidden", ...: pydantic's words
};

// What "#/components/schemas/NAME" stands for; throws std::out_of_range on a name that is not there.
using SchemaLookup = std::function<const boost::json::value&(std::string_view name)>;

// Of the format "date" are the dates from 1970-01-01 to 9999-12-31, of "date-time" the times of the years 1970 to 2261:
// those that the service can keep.
//
// The ways in which `value` breaks `schema`, in document order, at most `most`. Throws Error (usage) on a keyword that
// this checker does not know: a rule that is not checked would look like one that holds.
[[nodiscard]] std::vector<Violation> violations(const boost::json::value& value, const boost::json::value& schema,
                                                const SchemaLookup& lookup, std::size_t most = 20);

}  // namespace wajah::server
