#include "server/docs_routes.hpp"

#include "server/embedded_assets.hpp"
#include "server/openapi.hpp"
#include "server/pages.hpp"
#include "server/problem.hpp"

#include <algorithm>

namespace wajah::server {
namespace {

constexpr std::string_view swagger_page = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>wajah: documentation</title>
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"><p>This page needs scripts; <a href="/docs/plain">the plain page</a> does not.</p></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/start.js"></script>
</body>
</html>
)";

constexpr std::string_view start_script = R"(window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
});
)";

// Swagger UI sets styles on elements and draws its icons from data: addresses; scripts are ours alone.
constexpr std::string_view swagger_policy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' "
    "data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

std::string_view type_of(std::string_view name) {
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  return name.ends_with(".js") ? "text/javascript; charset=utf-8" : "text/plain; charset=utf-8";
}

}  // namespace

Reply docs(Site& site, Request& request) {
  if (embedded_assets().empty()) return docs_plain(site, request);
  return html_reply(std::string(swagger_page)).with("Content-Security-Policy", std::string(swagger_policy));
}

Reply docs_plain(Site&, Request&) { return html_reply(docs_page(routes())); }
Reply redoc(Site&, Request&) { return html_reply(reading_page(routes())); }
Reply openapi(Site& site, Request&) { return json_reply(200, openapi_document(routes(), site.info)); }

Reply docs_asset(Site&, Request& request) {
  const auto& name = request.path.find("file")->second;
  const auto& assets = embedded_assets();
  if (name == "start.js" && !assets.empty()) {
    return {200, std::string(type_of(name)), std::string(start_script), {}};
  }
  const auto found = std::ranges::find(assets, name, &EmbeddedAsset::name);
  if (found == assets.end()) return detail_reply(404, "Not Found");
  Reply reply{200, std::string(type_of(name)), std::string(found->bytes), {}};
  return reply.with("Cache-Control", "public, max-age=86400");
}

Reply problem_page(Site&, Request& request) {
  auto code = request.path.find("code")->second;
  std::ranges::replace(code, '-', '_');
  const auto found = std::ranges::find(problem_kinds(), code, &ProblemKind::code);
  if (found == problem_kinds().end()) return detail_reply(404, "Not Found");
  return html_reply(explained(*found));
}

}  // namespace wajah::server
