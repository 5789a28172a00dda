#include "server/pages.hpp"

#include "server/json.hpp"
#include "server/schemas.hpp"
#include "server/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace wajah::server {
namespace {

std::string page(std::string_view title, std::string_view content) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<link rel=\"stylesheet\" "
      "href=\"/style.css\">\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
      escape_html(title), content);
}

// The original's routes are documented with the slash that its clients were told.
std::string_view slash_of(const Route& route) {
  return route.shape != Shape::problem && route.takes_body() ? "/" : "";
}

std::string_view type_of(FieldKind kind) {
  switch (kind) {
    case FieldKind::text: return "text";
    case FieldKind::file: return "one file";
    case FieldKind::files: return "files, the field repeated";
  }
  return "text";
}

std::string row(std::string_view name, std::string_view kind, bool required, std::string_view about) {
  return fmt::format("<tr><td><code>{}</code></td><td>{}{}</td><td>{}</td></tr>\n", name, kind,
                     required ? "" : ", optional", escape_html(about));
}

std::string parameter_table(const Route& route) {
  if (route.parameters.empty()) return {};
  constexpr std::string_view places[] = {"path", "query", "header"};
  std::string rows;
  for (const auto& parameter : route.parameters) {
    rows += row(parameter.name, places[static_cast<std::size_t>(parameter.where)],
                parameter.required || parameter.where == Where::path, parameter.about);
  }
  return fmt::format("<h3>Parameters</h3>\n<table>\n<tr><th>name</th><th>in</th><th></th></tr>\n{}</table>\n", rows);
}

std::string body_table(const Route& route) {
  if (!route.body.empty()) return fmt::format("<h3>Body</h3>\n<p>JSON: <code>{}</code>.</p>\n", route.body);
  if (route.fields.empty()) return {};
  std::string rows;
  for (const auto& field : route.fields) rows += row(field.name, type_of(field.kind), field.required, field.about);
  return fmt::format(
      "<h3>Form</h3>\n<table>\n<tr><th>field</th><th>type</th><th></th></tr>\n{}</table>\n"
      "<p>At most {} bytes{}.</p>\n",
      rows, route.body_limit,
      route.shape == Shape::problem ? "; also as JSON, files in base64, or a picture alone as image/*" : "");
}

std::string answer_table(const Route& route) {
  std::string rows;
  for (const auto& answer : route.answers) {
    rows += fmt::format("<tr><td>{}</td><td>{}</td><td><code>{}</code></td></tr>\n", answer.status,
                        escape_html(answer.about), answer.schema.empty() ? answer.content_type : answer.schema);
  }
  return fmt::format("<h3>Answers</h3>\n<table>\n<tr><th>status</th><th></th><th>content</th></tr>\n{}</table>\n",
                     rows);
}

// Browsers send GET and POST forms only; anything else is tried with curl.
std::string trial(const Route& route) {
  const bool templated = route.path.find('{') != std::string_view::npos;
  if (route.verb == Verb::get && !templated) return fmt::format("<p><a href=\"{0}\">Open {0}</a></p>\n", route.path);
  const auto slash = slash_of(route);
  if (route.verb != Verb::post || templated || route.fields.empty()) {
    std::string arguments;
    for (const auto& field : route.fields) arguments += fmt::format(" -F {}=...", field.name);
    if (!route.body.empty()) arguments += " --json '{...}'";
    return fmt::format("<pre>curl -X {}{} 'http://127.0.0.1:8006{}{}'</pre>\n", name_of(route.verb), arguments,
                       route.path, slash);
  }
  std::string inputs;
  for (const auto& field : route.fields) {
    const auto kind = field.kind == FieldKind::text   ? "type=\"text\""
                      : field.kind == FieldKind::file ? "type=\"file\" accept=\"image/*\""
                                                      : "type=\"file\" accept=\"image/*\" multiple";
    inputs += fmt::format("<label>{0} <input {1} name=\"{0}\"></label>\n", field.name, kind);
  }
  return fmt::format(
      "<form method=\"post\" enctype=\"multipart/form-data\" action=\"{}{}\">\n{}<button>Try it</button>\n</form>\n",
      route.path, slash, inputs);
}

std::string section(const Route& route, bool with_trial) {
  const auto scope = route.scope == Scope::open
                         ? std::string()
                         : fmt::format("<p>Scope <code>{}</code>.</p>\n", name_of(route.scope));
  return fmt::format(
      "<section>\n<h2><span class=\"verb\">{}</span> <code>{}{}</code></h2>\n<p><b>{}.</b> {}</p>\n{}{}{}{}{}</section>\n",
      name_of(route.verb), route.path, slash_of(route), escape_html(route.summary), escape_html(route.about), scope,
      parameter_table(route), body_table(route), answer_table(route), with_trial ? trial(route) : std::string());
}

void add_name(std::vector<std::string_view>& names, std::string_view name) {
  if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

std::string schema_sections(std::span<const Route> table) {
  std::vector<std::string_view> names;
  for (const auto& route : table) {
    for (const auto& answer : route.answers) {
      add_name(names, answer.schema);
    }
    add_name(names, route.body);
  }
  std::string result = "<h2>Schemas</h2>\n";
  for (const auto name : names) {
    result += fmt::format("<h3><code>{}</code></h3>\n<pre>{}</pre>\n", name, escape_html(to_text(schema_of(name))));
  }
  return result;
}

}  // namespace

std::string landing_page(const SiteInfo& info) {
  return page("wajah", fmt::format("<h1>wajah</h1>\n<p>Face recognition and attendance, version {}.</p>\n<ul>\n"
                                   "<li><a href=\"/docs\">Documentation, with forms to try</a></li>\n<li><a "
                                   "href=\"/redoc\">Documentation for reading</a></li>\n"
                                   "<li><a href=\"/openapi.json\">OpenAPI description</a></li>\n<li><a "
                                   "href=\"/readyz\">Is it ready?</a></li>\n</ul>\n",
                                   escape_html(info.version)));
}

std::string docs_page(std::span<const Route> table) {
  std::string content =
      "<h1>wajah: documentation</h1>\n<p>As <a href=\"/openapi.json\">OpenAPI</a>; "
      "<a href=\"/redoc\">for reading</a>.</p>\n";
  for (const auto& route : table) content += section(route, true);
  return page("wajah: documentation", content);
}

std::string reading_page(std::span<const Route> table) {
  std::string content = "<h1>wajah: reference</h1>\n<p><a href=\"/docs\">With forms to try</a>.</p>\n";
  for (const auto& route : table) content += section(route, false);
  return page("wajah: reference", content + schema_sections(table));
}

std::string explained(const ProblemKind& problem) {
  return page(problem.title,
              fmt::format("<h1>{}</h1>\n<p lang=\"id\">{}</p>\n<p>Status {}, code <code>{}</code>.</p>\n<p>{}</p>\n",
                          escape_html(problem.title), escape_html(problem.title_id), problem.status, problem.code,
                          escape_html(problem.hint)));
}

std::string_view page_style() {
  return R"(:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 56rem; margin: 0 auto; padding: 1rem; }
section { border-top: 1px solid #8886; padding-top: .5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #8886; padding: .3rem .5rem; text-align: left; vertical-align: top; }
pre { background: #8882; overflow-x: auto; padding: .6rem; white-space: pre-wrap; overflow-wrap: anywhere; }
form { display: grid; gap: .5rem; max-width: 28rem; }
label { display: grid; }
.verb { font-size: .8em; padding: .1rem .4rem; border: 1px solid currentColor; border-radius: .3rem; }
)";
}

}  // namespace wajah::server
