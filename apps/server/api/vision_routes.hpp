// Routes that look at pictures and write nothing: detect, embed, quality, verify, recognize.
#pragma once

#include "server/route.hpp"
#include "server/schemas.hpp"

#include <span>

namespace wajah::server {

[[nodiscard]] std::span<const Route> vision_routes();
[[nodiscard]] std::span<const NamedSchema> vision_schemas();

}  // namespace wajah::server
