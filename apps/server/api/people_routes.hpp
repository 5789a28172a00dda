// Routes about people: list, create, change, remove, merge; their photos; 1:1 verification; many at once.
#pragma once

#include "server/route.hpp"
#include "server/schemas.hpp"

#include <span>

namespace wajah::server {

[[nodiscard]] std::span<const Route> people_routes();
[[nodiscard]] std::span<const NamedSchema> people_schemas();
[[nodiscard]] std::span<const Route> face_routes();
[[nodiscard]] std::span<const NamedSchema> face_schemas();
[[nodiscard]] std::span<const Route> transfer_routes();

}  // namespace wajah::server
