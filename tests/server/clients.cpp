// HTTP as real clients speak it: the original's habits, browsers, proxies, pipelines.
#include "test_server.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <set>
#include <string>
#include <thread>

namespace wajah::server {
namespace {

const std::string recognition = part("nik_input", "12345") + part("file", "JPEG", "a.jpg");

// What every answer carries, whatever its status.
void check_common(const Response& answer) {
  CHECK(answer.headers.at("x-content-type-options") == "nosniff");
  CHECK(answer.headers.at("cache-control") == "no-store");
  CHECK(answer.headers.at("referrer-policy") == "no-referrer");
  CHECK(answer.headers.at("content-security-policy").find("default-src 'none'") != std::string::npos);
  CHECK(answer.headers.at("content-security-policy").find("frame-ancestors 'none'") != std::string::npos);
  CHECK(answer.headers.at("server") == "wajah");
  CHECK(answer.headers.at("server-timing").find("total;dur=") != std::string::npos);
  CHECK(answer.headers.at("date").ends_with(" GMT"));
  CHECK_FALSE(answer.headers.at("x-request-id").empty());
}

}  // namespace

TEST_CASE("the original's routes answer with and without a slash, whatever the query") {
  TestServer server;
  for (const auto* path : {"/recognize", "/recognize/", "/recognize/?9090", "/recognize?a=b&c", "/recogni%7ae/"}) {
    INFO(path);
    CHECK(ask_once(server.port(), form(std::string("POST ") + path, recognition)).status == 200);
  }
  for (const auto* path : {"/docs", "/docs/", "/redoc", "/openapi.json", "/healthz", "/readyz", "/version"}) {
    INFO(path);
    CHECK(ask_once(server.port(), get(path)).status == 200);
  }
}

TEST_CASE("GET / is JSON for probes and a page for browsers") {
  TestServer server;
  const auto probe = ask_once(server.port(), get("/"));
  CHECK(probe.status == 200);
  CHECK(probe.body == R"({"name":"wajah","docs":"/docs","openapi":"/openapi.json","ready":"/readyz"})");
  const auto page = ask_once(server.port(), get("/?x", "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"));
  CHECK(page.status == 200);
  CHECK(page.headers.at("content-type") == "text/html; charset=utf-8");
  CHECK(page.body.find("href=\"/docs\"") != std::string::npos);
}

TEST_CASE("other paths are 404, other verbs 405, both in the original's words") {
  TestServer server;
  for (const auto* path :
       {"/nothing", "//", "//recognize/", "/recognize//", "/Recognize/", "/recognize/x", "/../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd", "/recognize%2F..%2F", "/docs%00", "/%zz", "/upload/%2e"}) {
    INFO(path);
    const auto answer = ask_once(server.port(), get(path));
    CHECK(answer.status == 404);
    CHECK(answer.body == R"({"detail":"Not Found"})");
    check_common(answer);
  }
  const auto allowed = [&](std::string_view method, std::string_view target) {
    const auto answer =
        ask_once(server.port(), fmt::format("{} {} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", method, target));
    CHECK(answer.status == 405);
    CHECK(answer.body == R"({"detail":"Method Not Allowed"})");
    check_common(answer);
    return answer.headers.at("allow");
  };
  CHECK(allowed("GET", "/recognize/") == "POST");
  CHECK(allowed("POST", "/hapus") == "DELETE");
  CHECK(allowed("POST", "/docs") == "GET, HEAD");
  CHECK(allowed("TRACE", "/healthz") == "GET, HEAD");
  CHECK(allowed("OPTIONS", "/upload/") == "POST");
  CHECK(allowed("BREW", "/upload/") == "POST");
  CHECK(allowed("get", "/healthz") == "GET, HEAD");
  CHECK(allowed("CONNECT", "example.org:443") == "GET, HEAD, POST, PUT, PATCH, DELETE");
  CHECK(allowed("OPTIONS", "*") == "GET, HEAD, POST, PUT, PATCH, DELETE");
}

TEST_CASE("every answer has the headers that keep browsers safe") {
  TestServer server;
  check_common(ask_once(server.port(), get("/healthz")));
  check_common(ask_once(server.port(), form("POST /recognize/", recognition)));
  check_common(ask_once(server.port(), form("POST /recognize/", "")));
  check_common(ask_once(server.port(), with_body("POST /recognize/", "multipart/form-data; boundary=B", "junk")));
  check_common(ask_once(server.port(), "GET / HTTP/1.1\r\n\r\n"));
}

TEST_CASE("broken bodies: the original's text, the cause with its byte in a header, and the connection lives on") {
  TestServer server;
  Client client(server.port());
  const auto broken = [&](std::string_view content_type, std::string_view body) {
    const auto answer = client.ask(with_body("POST /recognize/", content_type, body));
    REQUIRE(answer.has_value());
    CHECK(answer->status == 400);
    CHECK(answer->body == R"({"detail":"There was an error parsing the body"})");
    return answer->headers.at("x-wajah-error");
  };
  CHECK(broken("multipart/form-data; boundary=B", "no boundary here") ==
        "byte 12: the body ends before its closing boundary");
  CHECK(broken("multipart/form-data; boundary=B", "--B\r\nnonsense\r\n\r\n" + std::string(50'000, 'x')) ==
        "byte 5: a part's header line cannot be read");
  CHECK(broken("multipart/form-data", "x") == "the Content-Type has no boundary");
  CHECK(client.ask(form("POST /recognize/", recognition))->status == 200);
}

TEST_CASE("HEAD is GET without the body") {
  TestServer server;
  Client client(server.port());
  client.send("HEAD /docs HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto head = client.receive(std::chrono::seconds(10), false);
  REQUIRE(head.has_value());
  CHECK(head->status == 200);
  const auto full = client.ask(get("/docs"));
  REQUIRE(full.has_value());
  CHECK(head->headers.at("content-length") == std::to_string(full->body.size()));
}

TEST_CASE("pipelined requests are answered in order") {
  TestServer server;
  server.api.on_recognise = [](const std::string& nik, const std::string&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(nik == "0" ? 50 : 0));
    return attendance::RecogniseResult{{}, nik, false, 0, ""};
  };
  std::string all;
  for (int i = 0; i < 20; ++i) {
    all += form("POST /recognize/", part("nik_input", std::to_string(i)) + part("file", "JPEG", "a"));
    all += get("/healthz");
    all += "POST /recognize/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  }
  Client client(server.port());
  client.send(all);
  for (int i = 0; i < 20; ++i) {
    const auto first = client.receive();
    REQUIRE(first.has_value());
    CHECK(first->body.find(fmt::format("\"nik_input\":\"{}\"", i)) != std::string::npos);
    CHECK(client.receive().value_or(Response{}).body == R"({"status":"ok"})");
    CHECK(client.receive().value_or(Response{}).status == 422);
  }
}

TEST_CASE("a request works byte by byte, in chunks, and after 100 Continue") {
  TestServer server;
  const auto body = recognition + "--B--\r\n";
  const auto whole = form("POST /recognize/", recognition);
  {
    Client client(server.port());
    for (const char c : whole) REQUIRE(client.send({&c, 1}));
    CHECK(client.receive().value_or(Response{}).status == 200);
  }
  const std::string head = "POST /recognize/ HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=B\r\n";
  {
    Client client(server.port());
    client.send(head + "Transfer-Encoding: chunked\r\n\r\n");
    for (const char c : body) client.send(fmt::format("1\r\n{}\r\n", c));
    client.send("0\r\n\r\n");
    CHECK(client.receive().value_or(Response{}).status == 200);
    CHECK(client.ask(get("/healthz")).value_or(Response{}).status == 200);
  }
  Client client(server.port());
  client.send(head + fmt::format("Expect: 100-continue\r\nContent-Length: {}\r\n\r\n", body.size()));
  CHECK(client.receive().value_or(Response{}).status == 100);
  client.send(body);
  CHECK(client.receive().value_or(Response{}).status == 200);
}

TEST_CASE("HTTP/1.0 and Connection: close end the connection, keep-alive keeps it") {
  TestServer server;
  {
    Client client(server.port());
    const auto answer = client.ask("GET /healthz HTTP/1.0\r\n\r\n");
    REQUIRE(answer.has_value());
    CHECK(answer->status == 200);
    CHECK(client.ends());
  }
  {
    Client client(server.port());
    const auto answer = client.ask("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    REQUIRE(answer.has_value());
    CHECK(answer->headers.at("connection") == "keep-alive");
    CHECK(client.ask(get("/healthz", "Connection: close\r\n")).value_or(Response{}).headers.at("connection") ==
          "close");
    CHECK(client.ends());
  }
}

TEST_CASE("an empty line before a request, and a target with the host in it, are taken") {
  TestServer server;
  Client client(server.port());
  CHECK(client.ask("\r\n" + get("/healthz")).value_or(Response{}).status == 200);
  CHECK(client.ask("GET http://localhost/healthz?x HTTP/1.1\r\nHost: localhost\r\n\r\n").value_or(Response{}).status ==
        200);
  CHECK(client.ask("GET http://localhost HTTP/1.1\r\nHost: localhost\r\n\r\n").value_or(Response{}).status == 200);
}

TEST_CASE("request ids are those of the caller if they are sound, else new ones") {
  TestServer server;
  CHECK(ask_once(server.port(), get("/healthz", "X-Request-Id: abc-1.2\r\n")).headers.at("x-request-id") == "abc-1.2");
  std::set<std::string> ids;
  for (int i = 0; i < 10; ++i) {
    ids.insert(ask_once(server.port(), get("/healthz", "X-Request-Id: a b\r\n")).headers.at("x-request-id"));
  }
  CHECK(ids.size() == 10);
  CHECK(ids.count("a b") == 0);
}

TEST_CASE("forms that other sites' pages send are refused") {
  TestServer server;
  const auto status = [&](std::string_view headers) {
    return ask_once(server.port(), form("POST /recognize/", recognition, headers)).status;
  };
  CHECK(status("Sec-Fetch-Site: cross-site\r\n") == 403);
  CHECK(status("Sec-Fetch-Site: same-site\r\n") == 403);
  CHECK(status("Origin: http://evil.example\r\n") == 403);
  CHECK(status("Origin: null\r\n") == 403);
  CHECK(status("Origin: http://localhost:1\r\n") == 403);
  CHECK(server.api.calls() == 0);
  CHECK(status("Origin: http://localhost\r\n") == 200);
  CHECK(status("Sec-Fetch-Site: same-origin\r\nOrigin: http://other\r\n") == 200);
  CHECK(status("Sec-Fetch-Site: none\r\n") == 200);
  CHECK(ask_once(server.port(), get("/healthz", "Origin: http://evil.example\r\n")).status == 200);
}

TEST_CASE("the access log names routes, never what clients sent") {
  TestServer server;
  ask_once(server.port(), form("POST /recognize/?nik=77777", recognition));
  ask_once(server.port(), get("/people/77777"));
  ask_once(server.port(), "SECRET77777 / HTTP/1.1\r\nHost: a\r\n\r\n");
  ask_once(server.port(), "GET / HTTP/1.1\r\n\r\n");
  const auto log = server.log();
  REQUIRE(log.size() == 4);
  CHECK(log[0] == "POST /recognize 200");
  CHECK(log[1] == "- - 404");
  CHECK(log[2] == "- - 405");
  CHECK(log[3] == "- - 400");
}

}  // namespace wajah::server
