// A raw HTTP client for tests: sends bytes as they are given and reads what comes back, each with a time limit.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace wajah::server {

struct Response {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  // Whether the server ends the connection after this answer.
  [[nodiscard]] bool closes() const {
    const auto found = headers.find("connection");
    return found != headers.end() && found->second == "close";
  }
};

class Client {
 public:
  explicit Client(std::uint16_t port, int receive_buffer = 0);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  Client(Client&&) = delete;
  Client& operator=(Client&&) = delete;

  // False if the peer no longer takes bytes.
  bool send(std::string_view bytes);

  // The next answer, of one in chunks the header only; nothing if the connection ended or `limit` passed first. `has_body` false for an answer to HEAD.
  std::optional<Response> receive(std::chrono::milliseconds limit = std::chrono::seconds(10), bool has_body = true);

  // Whether the connection ends (not by a reset) within the limit, without another byte.
  bool ends(std::chrono::milliseconds limit = std::chrono::seconds(10));

  // What comes up to and with `text`; what has come if it does not.
  std::string read_until(std::string_view text, std::chrono::milliseconds limit = std::chrono::seconds(10));

  // send() and receive(); checks that the answer is as the route's description says.
  std::optional<Response> ask(std::string_view request, std::chrono::milliseconds limit = std::chrono::seconds(10));

 private:
  // Waits for more bytes; false at the end, a reset or the limit.
  bool fill(std::chrono::steady_clock::time_point limit);

  int socket_ = -1;
  std::string input_;
  bool ended_ = false;
};

// One request on a connection of its own.
Response ask_once(std::uint16_t port, std::string_view request,
                  std::chrono::milliseconds limit = std::chrono::seconds(10));

// "GET path HTTP/1.1" with a Host.
std::string get(std::string_view path, std::string_view headers = "");

// A request with a body, framed by its length. `headers`: whole lines with CR LF.
std::string with_body(std::string_view verb_and_path, std::string_view content_type, std::string_view body,
                      std::string_view headers = "");

// One part of a form with the boundary "B"; a file if `filename` is given.
std::string part(std::string_view name, std::string_view value,
                 std::optional<std::string_view> filename = std::nullopt);

// A multipart request of such parts.
std::string form(std::string_view verb_and_path, std::string_view parts, std::string_view headers = "");

}  // namespace wajah::server
