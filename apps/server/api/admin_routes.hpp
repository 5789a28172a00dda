// Routes for administrators: keys, webhooks, jobs, audit, the system and its models; and what happens, live.
#pragma once

#include "server/route.hpp"
#include "server/schemas.hpp"

#include <span>

namespace wajah::server {

[[nodiscard]] std::span<const Route> key_routes();
[[nodiscard]] std::span<const NamedSchema> key_schemas();
[[nodiscard]] std::span<const Route> webhook_routes();
[[nodiscard]] std::span<const NamedSchema> webhook_schemas();
[[nodiscard]] std::span<const Route> machine_routes();  // jobs, training, events, audit, system, models
[[nodiscard]] std::span<const NamedSchema> machine_schemas();
[[nodiscard]] std::span<const Route> privacy_routes();  // consents, data export
[[nodiscard]] std::span<const NamedSchema> privacy_schemas();

}  // namespace wajah::server
