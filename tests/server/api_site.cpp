#include "api_site.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <charconv>

namespace wajah::server {
namespace {

// What the original's routes ask, answered by the same service.
class ServiceApi final : public Api {
 public:
  explicit ServiceApi(attendance::Service& service) : service_(service) {}
  attendance::UploadResult upload(std::string_view nik, std::string_view name,
                                  std::span<const attendance::File> files) override {
    return service_.upload(nik, name, files, attendance::Force::no, attendance::Recognisable::later);
  }
  void wait_for(attendance::UploadResult& uploaded) override { service_.wait_for(uploaded); }
  attendance::RecogniseResult recognise(std::string_view nik, attendance::Bytes picture) override {
    return service_.recognise(nik, picture);
  }
  attendance::RemoveResult remove(std::string_view nik, std::string_view name) override {
    return service_.remove(nik, name);
  }

 private:
  attendance::Service& service_;
};

Answered answered(Response response) {
  Answered result{std::move(response), nullptr};
  boost::system::error_code error;
  auto value = boost::json::parse(result.body, error);
  if (!error) result.json = std::move(value);
  return result;
}

}  // namespace

ApiSite::ApiSite(const std::function<void(OfficeOptions&)>& change,
                 const std::function<void(HttpOptions&)>& change_http,
                 const std::function<void(attendance::ServiceOptions&)>& rules) {
  below.options.classifier.curve = {-10, 20, 0};
  if (rules) rules(below.options);
  auto& service = below.start();
  OfficeOptions options;
  options.book.now = options.backend.now = options.webhooks.now = below.options.now;
  options.backend.model = {"fake-1", "CC0", "of the tests", 8};
  options.backend.temporary_folder = below.folder.path();
  options.webhooks.poll = std::chrono::milliseconds(5);
  if (change) change(options);
  const auto secret = attendance::Secret::random();
  office = std::make_unique<Office>(*below.database, *below.store, service, *below.engine, secret, options);
  api_ = std::make_unique<ServiceApi>(service);
  site.api = api_.get();
  site.backend = &office->backend();
  site.info = {"1.2.3", "fake-1", "cpu/test"};
  HttpOptions http;
  http.listen.port = 0;
  http.spool_folder = below.folder.path();
  http.drain_idle = Milliseconds(50);
  if (change_http) change_http(http);
  server_ = std::make_unique<HttpServer>(http, site);
  server_->start();
}

ApiSite::~ApiSite() = default;

Answered ApiSite::get(std::string_view target, std::string_view headers) {
  return answered(ask_once(port(), server::get(target, headers)));
}

Answered ApiSite::remove(std::string_view target, std::string_view headers) {
  return answered(ask_once(port(), fmt::format("DELETE {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", target, headers)));
}

Answered ApiSite::send_json(std::string_view verb_and_path, std::string_view body, std::string_view headers) {
  return answered(ask_once(port(), with_body(verb_and_path, "application/json", body, headers)));
}

Answered ApiSite::send_form(std::string_view verb_and_path, std::string_view parts, std::string_view headers) {
  return answered(ask_once(port(), form(verb_and_path, parts, headers)));
}

Response ApiSite::download(std::string_view target, std::string_view headers) {
  Client client(port());
  client.send(server::get(target, headers));
  auto response = client.receive();
  REQUIRE(response.has_value());
  const auto chunks = client.read_until("\r\n0\r\n\r\n");
  for (std::string_view rest = chunks; !rest.starts_with("0\r\n");) {
    std::size_t size = 0;
    const auto line = rest.find("\r\n");
    REQUIRE(line != std::string_view::npos);
    std::from_chars(rest.data(), rest.data() + line, size, 16);
    REQUIRE(size > 0);
    response->body += rest.substr(line + 2, size);
    rest.remove_prefix(line + 2 + size + 2);
  }
  return *response;
}

std::string ApiSite::enrol(std::string_view nik, std::string_view name, int photos) {
  const auto made = send_json("POST /api/v1/people", fmt::format(R"({{"nik":"{}","name":"{}"}})", nik, name));
  REQUIRE(made.status == 201);
  const std::string id(made.json.at("id").as_string());
  std::string parts;
  for (int i = 0; i < photos; ++i) parts += picture_part(fmt::format("{}:{}", name, i), "images");
  const auto stored = send_form(fmt::format("POST /api/v1/people/{}/faces", id), parts);
  REQUIRE_MESSAGE(stored.status == 201, stored.body);
  return id;
}

std::string picture_part(std::string_view faces, std::string_view field) {
  return part(field, faces, fmt::format("{}.jpg", faces));
}

}  // namespace wajah::server
