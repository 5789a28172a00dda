// /api/v1 over real SQLite and fake networks: a picture is a text that names the faces in it (attendance/fakes.hpp).
#pragma once

#include "attendance/fakes.hpp"
#include "client.hpp"
#include "server/api/office.hpp"
#include "server/http_server.hpp"

#include <boost/json/value.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace wajah::server {

struct Answered : Response {
  boost::json::value json;  // null if the body is none
};

class ApiSite {
 public:
  explicit ApiSite(const std::function<void(OfficeOptions&)>& change = {},
                   const std::function<void(HttpOptions&)>& change_http = {},
                   const std::function<void(attendance::ServiceOptions&)>& rules = {});
  ~ApiSite();

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }

  // Each checks that the answer is as described.
  Answered get(std::string_view target, std::string_view headers = "");
  Answered remove(std::string_view target, std::string_view headers = "");
  Answered send_json(std::string_view verb_and_path, std::string_view body, std::string_view headers = "");
  Answered send_form(std::string_view verb_and_path, std::string_view parts, std::string_view headers = "");

  // A GET whose answer comes in chunks, put together.
  Response download(std::string_view target, std::string_view headers = "");

  // A person with photos, through the API; the id.
  std::string enrol(std::string_view nik, std::string_view name, int photos = 3);

  attendance::testing::Site below;
  std::unique_ptr<Office> office;
  Site site;

 private:
  std::unique_ptr<Api> api_;
  std::unique_ptr<HttpServer> server_;
};

// The parts of a picture that shows `faces`, in `field`.
[[nodiscard]] std::string picture_part(std::string_view faces, std::string_view field = "image");

}  // namespace wajah::server
