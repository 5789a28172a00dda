// The OpenAPI 3.1 description, made from the route table.
#pragma once

#include "server/route.hpp"

#include <boost/json/object.hpp>

namespace wajah::server {

[[nodiscard]] boost::json::object openapi_document(std::span<const Route> table, const SiteInfo& info);

}  // namespace wajah::server
