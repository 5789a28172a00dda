// The documentation: Swagger UI at /docs where it was embedded, the server's own pages everywhere.
#pragma once

#include "server/route.hpp"

namespace wajah::server {

[[nodiscard]] Reply docs(Site& site, Request& request);        // Swagger UI, or the plain page
[[nodiscard]] Reply docs_plain(Site& site, Request& request);  // without scripts
[[nodiscard]] Reply docs_asset(Site& site, Request& request);  // {file} of what was embedded, and what starts it
[[nodiscard]] Reply redoc(Site& site, Request& request);
[[nodiscard]] Reply openapi(Site& site, Request& request);
[[nodiscard]] Reply problem_page(Site& site, Request& request);  // what a problem's `type` leads to

}  // namespace wajah::server
