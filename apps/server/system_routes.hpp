// Routes about the server itself.
#pragma once

#include "server/route.hpp"

namespace wajah::server {

[[nodiscard]] Reply landing(Site& site, Request& request);  // GET /: a page for browsers, JSON for probes
[[nodiscard]] Reply healthz(Site& site, Request& request);  // 200 as long as the process answers
[[nodiscard]] Reply readyz(Site& site, Request& request);   // 200 if recognition works, else 503 with the reason
[[nodiscard]] Reply metrics(Site& site, Request& request);  // for Prometheus; 404 where it is turned off
[[nodiscard]] Reply version(Site& site, Request& request);
[[nodiscard]] Reply style_sheet(Site& site, Request& request);

}  // namespace wajah::server
