// The route table's descriptions: complete, consistent, and true of the answers.
#include "server/openapi.hpp"
#include "server/pages.hpp"
#include "server/schemas.hpp"
#include "test_server.hpp"

#include <doctest/doctest.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <set>
#include <string>

namespace wajah::server {
namespace {

namespace json = boost::json;

// Every "$ref" below `value`.
void collect_references(const json::value& value, std::set<std::string>& found) {
  if (const auto* object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      if (key == "$ref") found.insert(std::string(member.as_string()));
      collect_references(member, found);
    }
  } else if (const auto* array = value.if_array()) {
    for (const auto& element : *array) collect_references(element, found);
  }
}

}  // namespace

TEST_CASE("OpenAPI describes every route, and every reference leads somewhere") {
  TestServer server;
  const auto document = json::parse(ask_once(server.port(), get("/openapi.json")).body).as_object();
  CHECK(document.at("openapi") == "3.1.0");
  CHECK(document.at("info").at("version") == "1.2.3");
  std::set<std::string> ids;
  std::size_t operations = 0;
  for (const auto& [path, verbs] : document.at("paths").as_object()) {
    for (const auto& [verb, operation] : verbs.as_object()) {
      ++operations;
      CHECK(ids.insert(std::string(operation.at("operationId").as_string())).second);
      CHECK_FALSE(operation.at("responses").as_object().empty());
    }
  }
  CHECK(operations == routes().size());
  const auto& fields = document.at("paths")
                           .at("/upload/")
                           .at("post")
                           .at("requestBody")
                           .at("content")
                           .at("multipart/form-data")
                           .at("schema");
  CHECK(fields.at("required") == json::array({"nik", "nama", "files"}));
  CHECK(fields.at("properties").at("files").at("maxItems") == 100);

  std::set<std::string> references;
  collect_references(document, references);
  CHECK(references.size() > 5);
  for (const auto& reference : references) {
    const std::string prefix = "#/components/schemas/";
    REQUIRE(reference.starts_with(prefix));
    CHECK(document.at("components").at("schemas").as_object().contains(reference.substr(prefix.size())));
  }
}

TEST_CASE("routes are unique, documented, and answer in their own shape") {
  std::set<std::pair<Verb, std::string_view>> seen;
  for (const auto& route : routes()) {
    INFO(route.path);
    CHECK(seen.insert({route.verb, route.path}).second);
    CHECK((route.handle != nullptr));
    CHECK_FALSE(route.summary.empty());
    CHECK_FALSE(route.answers.empty());
    CHECK((route.path == "/" || !route.path.ends_with('/')));
    for (const auto& answer : route.answers) {
      if (!answer.schema.empty()) CHECK_NOTHROW((void)schema_of(answer.schema));
    }
    for (const auto& field : route.fields) CHECK_FALSE(field.about.empty());
    CHECK((route.lane != Lane::at_once || !route.takes_body()));
    CHECK(route.takes_body() == (!route.fields.empty() || !route.body.empty()));
  }
}

TEST_CASE("the pages name every route and load nothing from elsewhere") {
  TestServer server;
  for (const auto* path : {"/docs/plain", "/redoc"}) {
    const auto page = ask_once(server.port(), get(path));
    CHECK(page.headers.at("content-type") == "text/html; charset=utf-8");
    for (const auto& route : routes()) CHECK(page.body.find(std::string(route.path)) != std::string::npos);
    CHECK(page.body.find("<script") == std::string::npos);
    CHECK(page.body.find("//cdn") == std::string::npos);
    CHECK(page.body.find("https://") == std::string::npos);
  }
  const auto style = ask_once(server.port(), get("/style.css"));
  CHECK(style.headers.at("content-type") == "text/css; charset=utf-8");
  CHECK(style.body.find("body {") != std::string::npos);
}

TEST_CASE("version tells what runs") {
  TestServer server;
  CHECK(ask_once(server.port(), get("/version")).body ==
        R"({"name":"wajah","version":"1.2.3","device":"cpu/test","model":"test-model"})");
  server.site.api = nullptr;
  CHECK(ask_once(server.port(), get("/version")).body ==
        R"({"name":"wajah","version":"1.2.3","device":"cpu/test","model":null})");
}

}  // namespace wajah::server
