// Routes of /api/v1 for people with a password: logging in and out, who one is, and the accounts themselves.
#pragma once

#include "server/route.hpp"
#include "server/schemas.hpp"

#include <span>

namespace wajah::server {

[[nodiscard]] std::span<const Route> session_routes();
[[nodiscard]] std::span<const NamedSchema> session_schemas();

}  // namespace wajah::server
