// Routes of attendance: checking in, events, days, summaries, exports; and the calendar they are judged by.
#pragma once

#include "server/route.hpp"
#include "server/schemas.hpp"

#include <span>

namespace wajah::server {

[[nodiscard]] std::span<const Route> check_routes();   // check, events, corrections, who is inside
[[nodiscard]] std::span<const Route> report_routes();  // days, summary, export
[[nodiscard]] std::span<const Route> calendar_routes();
[[nodiscard]] std::span<const NamedSchema> attendance_schemas();
[[nodiscard]] std::span<const NamedSchema> calendar_schemas();

}  // namespace wajah::server
