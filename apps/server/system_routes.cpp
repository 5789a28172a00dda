#include "server/system_routes.hpp"

#include "server/pages.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value_from.hpp>

namespace wajah::server {

Reply landing(Site& site, Request& request) {
  if (request.headers.get("accept").find("text/html") != std::string_view::npos) return html_reply(landing_page(site.info));
  return json_reply(200, {{"name", "wajah"}, {"docs", "/docs"}, {"openapi", "/openapi.json"}, {"ready", "/readyz"}});
}

Reply healthz(Site&, Request&) { return json_reply(200, {{"status", "ok"}}); }

Reply readyz(Site& site, Request&) {
  if (site.draining) return json_reply(503, {{"status", "unavailable"}, {"reason", "the server is shutting down"}});
  if (!site.api) return json_reply(503, {{"status", "unavailable"}, {"reason", site.without}});
  const Health health = site.health ? site.health() : Health{};
  // The reason is for the log: it may name files.
  if (!health.ready) return json_reply(503, {{"status", "unavailable"}, {"reason", "recognition does not work now"}});
  if (health.degraded.empty()) return json_reply(200, {{"status", "ready"}});
  return json_reply(200, {{"status", "ready"}, {"degraded", boost::json::value_from(health.degraded)}});
}

Reply metrics(Site& site, Request&) {
  if (!site.metrics) return detail_reply(404, "Not Found");
  return {200, "text/plain; version=0.0.4; charset=utf-8", site.metrics(), {}};
}

Reply version(Site& site, Request&) {
  boost::json::object info{{"name", "wajah"}, {"version", site.info.version}, {"device", site.device()}};
  const auto& facts = site.build;
  if (!facts.build.empty()) {
    info["git"] = facts.git.empty() ? boost::json::value(nullptr) : boost::json::value(facts.git);
    info["build"] = facts.build;
    info["cuda"] = facts.cuda;
  }
  info["model"] = site.api ? boost::json::value(site.info.model) : boost::json::value(nullptr);
  return json_reply(200, info);
}

Reply style_sheet(Site&, Request&) { return {200, "text/css; charset=utf-8", std::string(page_style()), {}}; }

}  // namespace wajah::server
