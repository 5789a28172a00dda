// The framing guard: every request whose end two programs could see differently is refused and its connection closed.
#include "server/framing.hpp"

#include "test_server.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace wajah::server {
namespace {

struct Case {
  const char* name;
  std::string request;
  int status = 400;
};

std::string post(std::string_view headers, std::string_view body = "", std::string_view version = "1.1") {
  return "POST /recognize/ HTTP/" + std::string(version) + "\r\nHost: a\r\n" + std::string(headers) + "\r\n" +
         std::string(body);
}

std::string chunked(std::string_view body) { return post("Transfer-Encoding: chunked\r\n", body); }

const std::vector<Case>& cases() {
  using namespace std::string_literals;
  static const std::vector<Case> all{
      {"length, then encoding", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {"encoding, then length", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")},
      {"encoding gzip with a length", post("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n", "hello")},
      {"encoding gzip", post("Transfer-Encoding: gzip\r\n", "hello")},
      {"encoding identity", post("Transfer-Encoding: identity\r\n", "hello")},
      {"encoding twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
      {"encoding chunked, gzip", post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n")},
      {"encoding gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")},
      {"encoding chunked, chunked", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")},
      {"encoding quoted", post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n")},
      {"encoding with a parameter", post("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n")},
      {"encoding empty", post("Transfer-Encoding:\r\n", "0\r\n\r\n")},
      {"encoding after a vertical tab", post("Transfer-Encoding: \x0b"
                                             "chunked\r\n",
                                             "0\r\n\r\n")},
      {"encoding in HTTP/1.0", post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "1.0")},
      {"length +5", post("Content-Length: +5\r\n", "hello")},
      {"length -1", post("Content-Length: -1\r\n")},
      {"length 5, 6", post("Content-Length: 5, 6\r\n", "hello")},
      {"length 5, 5", post("Content-Length: 5, 5\r\n", "hello")},
      {"length twice, equal", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")},
      {"length twice, different", post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello")},
      {"length 2^64", post("Content-Length: 18446744073709551616\r\n")},
      {"length 2^63", post("Content-Length: 9223372036854775808\r\n")},
      {"length hexadecimal", post("Content-Length: 0x5\r\n", "hello")},
      {"length with a space inside", post("Content-Length: 1 0\r\n", "hello")},
      {"length empty", post("Content-Length:\r\n")},
      {"length with a fraction", post("Content-Length: 5.0\r\n", "hello")},
      {"bare LF at the request line", "GET /healthz HTTP/1.1\nHost: a\r\n\r\n"},
      {"bare LF at a field", "GET /healthz HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"},
      {"bare LF only", "GET /healthz HTTP/1.1\nHost: a\n\n"},
      {"bare CR in a value", "GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"},
      {"bare CR before a field", "GET /healthz HTTP/1.1\r\nHost: a\r\n\rX: y\r\n\r\n"},
      {"NUL in a value", "GET /healthz HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"s},
      {"NUL in a name", "GET /healthz HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n"s},
      {"NUL in the target", "GET /health\0z HTTP/1.1\r\nHost: a\r\n\r\n"s},
      {"space before the colon", "GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n"},
      {"space before the colon of a length", post("Content-Length : 5\r\n", "hello")},
      {"space before the first field", "GET /healthz HTTP/1.1\r\n Host: a\r\n\r\n"},
      {"folded field", post("X: a\r\n b\r\n")},
      {"folded encoding", post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n")},
      {"field without a colon", post("Content-Length 5\r\n", "hello")},
      {"field without a name", post(": 5\r\n")},
      {"field name with a slash", post("X/Y: 5\r\n")},
      {"DEL in a value", post("X: a\x7f\r\n")},
      {"no Host", "GET /healthz HTTP/1.1\r\n\r\n"},
      {"empty Host", "GET /healthz HTTP/1.1\r\nHost:\r\n\r\n"},
      {"two Hosts", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
      {"two equal Hosts", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
      {"Host with a path", "GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n"},
      {"Host with a comma", "GET /healthz HTTP/1.1\r\nHost: a,b\r\n\r\n"},
      {"Host beside another authority", "GET http://b/healthz HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"two spaces in the request line", "GET  /healthz HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"tab in the request line", "GET\t/healthz HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"space in the target", "GET /health z HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"no version", "GET /healthz\r\nHost: a\r\n\r\n"},
      {"version in lower case", "GET /healthz http/1.1\r\nHost: a\r\n\r\n"},
      {"version 1.1 with more digits", "GET /healthz HTTP/1.10\r\nHost: a\r\n\r\n"},
      {"version 2.0", "GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"version 0.9", "GET /healthz HTTP/0.9\r\nHost: a\r\n\r\n", 505},
      {"method with a colon", "GE:T /healthz HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"two empty lines first", "\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"an expectation that nobody knows", post("Expect: 200-ok\r\nContent-Length: 5\r\n", "hello"), 417},
      {"a trailer announced", post("Transfer-Encoding: chunked\r\nTrailer: X-Key\r\n", "0\r\n\r\n")},
      {"chunk size 2^64", chunked("10000000000000000\r\n")},
      {"chunk size negative", chunked("-1\r\n")},
      {"chunk size empty", chunked("\r\n\r\n")},
      {"chunk size with 0x", chunked("0x5\r\nhello\r\n0\r\n\r\n")},
      {"chunk size with a space", chunked("5 \r\nhello\r\n0\r\n\r\n")},
      {"chunk size line with a bare LF", chunked("5\nhello\r\n0\r\n\r\n")},
      {"chunk size line with a bare CR", chunked("5\rhello\r\n0\r\n\r\n")},
      {"junk after a chunk", chunked("5\r\nhelloX\r\n0\r\n\r\n")},
      {"chunk ended by a bare LF", chunked("5\r\nhello\n0\r\n\r\n")},
      {"control character in an extension", chunked("5;a=\x01\r\nhello\r\n0\r\n\r\n")},
      {"extension without end", chunked("5;" + std::string(300, 'a') + "\r\nhello\r\n0\r\n\r\n")},
      {"a key in a trailer", chunked("5\r\nhello\r\n0\r\nX-Api-Key: k\r\n\r\n")},
      {"junk after the last chunk", chunked("0\r\nX\r\n")},
      {"header of 9 KiB", "GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + std::string(9000, 'x') + "\r\n\r\n", 431},
      {"target of 9 KiB", "GET /" + std::string(9000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 431},
      {"101 fields",
       [] {
         std::string request = "GET /healthz HTTP/1.1\r\nHost: a\r\n";
         for (int i = 0; i < 100; ++i) request += "X: y\r\n";
         return request + "\r\n";
       }(),
       431},
  };
  return all;
}

}  // namespace

TEST_CASE("doubtful framing is refused and the connection closed") {
  TestServer server;
  CHECK(cases().size() >= 40);
  for (const auto& [name, request, status] : cases()) {
    INFO(name);
    Client client(server.port());
    // A request behind it must never be answered.
    client.send(request + "GET /version HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto answer = client.receive();
    REQUIRE(answer.has_value());
    CHECK(answer->status == status);
    CHECK(answer->headers.at("connection") == "close");
    CHECK_FALSE(answer->headers.at("x-wajah-error").empty());
    CHECK(client.ends());
  }
  CHECK(server.api.calls() == 0);
}

TEST_CASE("the same requests are refused however they are cut into packets") {
  for (const auto& [name, request, status] : cases()) {
    INFO(name);
    const auto end = request.find("\r\n\r\n");
    if (name == std::string_view("two empty lines first") ||
        request.substr(0, end).find("chunked") != std::string::npos) {
      continue;  // refused after the header, which the test above covers
    }
    HeadScanner scanner;
    bool refused = false;
    for (std::size_t size = 1; size <= request.size() && !refused; ++size) {
      const auto found = scanner.scan(std::string_view(request).substr(0, size));
      refused = std::holds_alternative<Fault>(found);
      if (const auto* head = std::get_if<std::size_t>(&found)) {
        refused = std::holds_alternative<Fault>(inspect(std::string_view(request).substr(0, *head)));
        break;
      }
    }
    CHECK(refused);
  }
}

TEST_CASE("sound framing is understood") {
  const auto framing = [](std::string_view head) { return std::get<Framing>(inspect(head)); };
  const auto plain = framing("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(plain.body == BodyKind::none);
  CHECK(plain.keep_alive);
  CHECK_FALSE(plain.has_body());

  const auto sized =
      framing("POST / HTTP/1.1\r\nhost:[::1]:80\r\ncontent-length:\t005 \r\nExpect: 100-Continue\r\n\r\n");
  CHECK(sized.body == BodyKind::length);
  CHECK(sized.length == 5);
  CHECK(sized.expects_continue);

  CHECK(framing("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n").body == BodyKind::chunked);
  CHECK_FALSE(framing("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n").keep_alive);
  CHECK_FALSE(framing("GET / HTTP/1.0\r\n\r\n").keep_alive);
  CHECK(framing("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
  CHECK(framing("GET http://A:80/x HTTP/1.1\r\nHost: a:80\r\n\r\n").keep_alive);
  CHECK(framing("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999999999\r\n\r\n").length ==
        999'999'999'999'999'999U);
}

TEST_CASE("a header ends where its empty line ends, at most 100 fields and 8 KiB before") {
  HeadScanner scanner;
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t size = 0; size < head.size(); ++size) {
    CHECK(std::holds_alternative<std::monostate>(scanner.scan(std::string_view(head).substr(0, size))));
  }
  CHECK(std::get<std::size_t>(scanner.scan(head + "GET")) == head.size());

  std::string hundred = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 100; ++i) hundred += "X: y\r\n";
  CHECK(std::holds_alternative<std::size_t>(HeadScanner().scan(hundred + "\r\n")));
  CHECK(std::holds_alternative<Fault>(HeadScanner().scan(hundred + "X: y\r\n\r\n")));

  const std::string full = "GET / HTTP/1.1\r\nX: " + std::string(8192 - 23, 'x') + "\r\n\r\n";
  CHECK(full.size() == 8192);
  CHECK(std::get<std::size_t>(HeadScanner().scan(full)) == 8192);
}

}  // namespace wajah::server
