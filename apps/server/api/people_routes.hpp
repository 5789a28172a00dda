// Routes about people: list, create, change, remove, merge; their photos; 1:1 verification.
#pragma once

#include "server/route.hpp"
#include "server/schemas.hpp"

#include <span>

namespace wajah::server {

[[nodiscard]] std::span<const Route> people_routes();
[[nodiscard]] std::span<const NamedSchema> people_schemas();
[[nodiscard]] std::span<const Route> face_routes();
[[nodiscard]] std::span<const NamedSchema> face_schemas();

}  // namespace wajah::server
