// Files of others that were embedded when building: Swagger UI, if npm could fetch it (cmake/SwaggerUi.cmake).
#pragma once

#include <span>
#include <string_view>

namespace wajah::server {

struct EmbeddedAsset {
  std::string_view name, bytes;
};

[[nodiscard]] std::span<const EmbeddedAsset> embedded_assets();

}  // namespace wajah::server
