// The OpenAPI 3.1 description, made from the route table.
#pragma once

#include "server/route.hpp"

#include <boost/json/object.hpp>

namespace wajah::server {

[[nodiscard]] boost::json::object openapi_document(std::span<const Route> table, const SiteInfo& info);

// The JSON Schema that answers refer to by `name`; throws std::out_of_range for a name that is not there.
[[nodiscard]] boost::json::object schema_of(std::string_view name);

}  // namespace wajah::server
