// The chunked decoder: what it accepts, and that its bounds hold.
#include "server/chunked.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>

namespace wajah::server {
namespace {

struct Decoded {
  std::string data;
  std::size_t used = 0;
  bool done = false;
  std::optional<Fault> fault;
};

Decoded decode(std::string_view input, std::size_t piece = 1 << 20, ChunkLimits limits = {}) {
  ChunkedDecoder decoder(limits);
  Decoded result;
  while (result.used < input.size() && !decoder.done() && !decoder.fault()) {
    const auto step = decoder.next(input.substr(result.used, piece));
    result.data += step.data;
    result.used += step.consumed;
  }
  result.done = decoder.done();
  result.fault = decoder.fault();
  return result;
}

}  // namespace

TEST_CASE("a chunked body is the same whatever pieces it arrives in") {
  const std::string body = "5\r\nhello\r\nA;name=\"value\"\r\n, world!\r\n\r\n001\r\n.\r\n0;last\r\n\r\n";
  for (std::size_t piece = 1; piece <= body.size(); ++piece) {
    const auto result = decode(body + "GET", piece);
    CHECK(result.done);
    CHECK(result.data == "hello, world!\r\n.");
    CHECK(result.used == body.size());
  }
}

TEST_CASE("a chunked body cut at any byte is not done") {
  const std::string body = "5\r\nhello\r\n0\r\n\r\n";
  for (std::size_t size = 0; size < body.size(); ++size) {
    const auto result = decode(std::string_view(body).substr(0, size));
    CHECK_FALSE(result.done);
    CHECK_FALSE(result.fault.has_value());
  }
}

TEST_CASE("chunks and extensions are bounded") {
  const auto body_of = [](int chunks) {
    std::string body;
    for (int i = 0; i < chunks; ++i) body += "1\r\nx\r\n";
    return body + "0\r\n\r\n";
  };
  CHECK(decode(body_of(65'536)).done);
  CHECK(decode(body_of(65'537)).fault.has_value());

  CHECK(decode("1;" + std::string(256, 'e') + "\r\nx\r\n0\r\n\r\n").done);
  CHECK(decode("1;" + std::string(257, 'e') + "\r\nx\r\n0\r\n\r\n").fault.has_value());
  std::string many;
  for (int i = 0; i < 50; ++i) many += "1;" + std::string(200, 'e') + "\r\nx\r\n";
  const auto result = decode(many + "0\r\n\r\n");
  REQUIRE(result.fault.has_value());
  CHECK(result.fault->cause == "chunk extensions are too long");
}

TEST_CASE("a chunk of the largest size that can be written is announced, not allocated") {
  const auto result = decode("FFFFFFFFFFFFFFF\r\nabc");
  CHECK(result.data == "abc");
  CHECK_FALSE(result.done);
  CHECK(decode("FFFFFFFFFFFFFFFF\r\nabc").fault.has_value());
}

}  // namespace wajah::server
