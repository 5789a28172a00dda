// The multipart parser against forms cut, broken and blown up in every way a client could.
#include "server/multipart.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

namespace wajah::server {
namespace {

struct Part {
  PartHead head;
  std::string data;
  bool ended = false;
};

class Recorder final : public PartSink {
 public:
  std::optional<Fault> begin(PartHead head) override {
    parts.push_back({std::move(head), {}, false});
    return std::nullopt;
  }
  std::optional<Fault> data(std::string_view bytes) override {
    if (keep) parts.back().data += bytes;
    received += bytes.size();
    return std::nullopt;
  }
  std::optional<Fault> end() override {
    parts.back().ended = true;
    return std::nullopt;
  }

  std::vector<Part> parts;
  std::size_t received = 0;
  bool keep = true;
};

struct Parsed {
  std::vector<Part> parts;
  std::optional<Fault> fault;
};

Parsed parse(std::string_view body, std::size_t piece = 1 << 20, std::string_view boundary = "B",
             MultipartLimits limits = {}) {
  Recorder recorder;
  MultipartParser parser(boundary, recorder, limits);
  std::optional<Fault> fault;
  while (!body.empty() && !fault) {
    fault = parser.push(body.substr(0, piece));
    body.remove_prefix(std::min(piece, body.size()));
  }
  if (!fault) fault = parser.finish();
  return {std::move(recorder.parts), std::move(fault)};
}

std::string head(std::string_view disposition) {
  return "--B\r\nContent-Disposition: " + std::string(disposition) + "\r\n\r\n";
}

const std::string sample = head("form-data; name=\"nik\"") + "12345\r\n" +
                           head("form-data; name=\"files\"; filename=\"a \\\"b\\\".jpg\"") +
                           std::string("\xff\xd8\r\n--\r\n--b\r\n-\r\r\n\n\0x", 18) + "\r\n" +
                           head("form-data; name=\"files\"; filename=\"\"") + "\r\n--B--\r\n";

}  // namespace

TEST_CASE("a form is the same whatever pieces it arrives in") {
  for (std::size_t piece = 1; piece <= sample.size(); ++piece) {
    INFO("pieces of " << piece);
    const auto [parts, fault] = parse(sample, piece);
    REQUIRE_FALSE(fault.has_value());
    REQUIRE(parts.size() == 3);
    CHECK(parts[0].head.name == "nik");
    CHECK_FALSE(parts[0].head.filename.has_value());
    CHECK(parts[0].data == "12345");
    CHECK(parts[1].head.filename == "a \"b\".jpg");
    CHECK(parts[1].data == std::string("\xff\xd8\r\n--\r\n--b\r\n-\r\r\n\n\0x", 18));
    CHECK(parts[2].head.filename == "");
    CHECK(parts[2].data.empty());
    CHECK(parts[2].ended);
  }
}

TEST_CASE("a form cut at any byte is broken") {
  for (std::size_t size = 0; size + 2 < sample.size(); ++size) {
    INFO("cut at " << size);
    const auto [parts, fault] = parse(std::string_view(sample).substr(0, size), 7);
    REQUIRE(fault.has_value());
    CHECK(fault->kind == FaultKind::body);
    CHECK(fault->cause.starts_with("byte "));
  }
}

TEST_CASE("what a form may not be") {
  const std::string text = head("form-data; name=\"nik\"");
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "ends before its closing boundary"},
      {"--A\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--A--\r\n", "closing boundary"},
      {"--BB\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--BB--\r\n", "neither a line end nor --"},
      {text + "x\r\n--BX\r\n--B--\r\n", "neither a line end nor --"},
      {text + "x\r\n--B \r\n", "neither a line end nor --"},
      {text + "--B--\r\n", "a boundary inside a part"},
      {text + "--B\r\n\r\n--B--\r\n", "a boundary inside a part"},
      {"--B\nContent-Disposition: form-data; name=\"a\"\n\nx\n--B--\n", "neither a line end nor --"},
      {"--B\r\n\r\nx\r\n--B--\r\n", "a part has no header"},
      {"--B\r\nContent-Type: text/plain\r\n\r\nx\r\n--B--\r\n", "no Content-Disposition"},
      {head("attachment; name=\"a\"") + "x\r\n--B--\r\n", "not form-data"},
      {head("form-data") + "x\r\n--B--\r\n", "no name"},
      {head("form-data; name=\"\"") + "x\r\n--B--\r\n", "no name"},
      {head("form-data; name=\"a\"; name=\"b\"") + "x\r\n--B--\r\n", "cannot be read"},
      {head("form-data; name=\"a") + "x\r\n--B--\r\n", "cannot be read"},
      {head("form-data; name=\"a\"; filename*=UTF-8''x.jpg") + "x\r\n--B--\r\n", "filename*"},
      {head("form-data; name=\"a\"; filename=\"x\"; filename*=UTF-8''y") + "x\r\n--B--\r\n", "filename*"},
      {head("form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"b\"") + "x\r\n--B--\r\n", "two Content-D"},
      {head("form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64") + "x\r\n--B--\r\n", "transfer encoding"},
      {head("form-data; name=\"a\"\r\n folded") + "x\r\n--B--\r\n", "cannot be read"},
      {head("form-data; name=\"a\x01\"") + "x\r\n--B--\r\n", "cannot be read"},
      {std::string(10 << 20, 'p') + "\r\n" + text + "x\r\n--B--\r\n", "first boundary does not come"},
      {text + "x\r\n--B--\r\n" + std::string(5000, 'e'), "after the closing boundary"},
      {"--B\r\nContent-Disposition: form-data; name=\"a\"; x=\"" + std::string(1 << 20, 'h') + "\"\r\n\r\n",
       "too long"},
  };
  for (const auto& [body, cause] : cases) {
    INFO(cause << " from " << body.substr(0, 120));
    for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{3}}) {
      if (body.size() > 100'000 && piece < 100) continue;
      const auto [parts, fault] = parse(body, piece);
      REQUIRE(fault.has_value());
      CHECK(fault->cause.find(cause) != std::string::npos);
    }
  }
}

TEST_CASE("errors tell the byte they were found at") {
  const auto [parts, fault] = parse(head("form-data; name=\"a\"") + "xyz\r\n--B\r\nbad\r\n\r\n");
  REQUIRE(fault.has_value());
  const auto at = head("form-data; name=\"a\"").size() + 10;
  CHECK(fault->cause == "byte " + std::to_string(at) + ": a part's header line cannot be read");
}

TEST_CASE("a short preamble and epilogue are read over") {
  const auto [parts, fault] = parse("hello\r\n" + head("form-data; name=\"a\"") + "x\r\n--B--\r\nbye");
  CHECK_FALSE(fault.has_value());
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].data == "x");
}

TEST_CASE("parts are counted") {
  std::string body;
  for (int i = 0; i < 10'000; ++i) body += head("form-data; name=\"a\"") + "x\r\n";
  const auto [parts, fault] = parse(body + "--B--\r\n");
  REQUIRE(fault.has_value());
  CHECK(parts.size() == 128);
  CHECK(fault->cause.ends_with("too many parts"));
}

TEST_CASE("old browsers' paths and unquoted values are read") {
  const auto [parts, fault] = parse(head("form-data; name=files; filename=\"C:\\photos\\a.jpg\"") + "x\r\n--B--\r\n");
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].head.filename == "C:\\photos\\a.jpg");
}

TEST_CASE("boundaries have 1 to 70 of the allowed characters") {
  CHECK(valid_boundary("B"));
  CHECK(valid_boundary(std::string(70, 'b')));
  CHECK(valid_boundary("----WebKitFormBoundary7MA4YWxkTrZu0gW"));
  CHECK_FALSE(valid_boundary(""));
  CHECK_FALSE(valid_boundary(std::string(71, 'b')));
  CHECK_FALSE(valid_boundary("a "));
  CHECK_FALSE(valid_boundary("a\r\nb"));
  CHECK_FALSE(valid_boundary("a\"b"));
}

TEST_CASE("time grows with the input, not faster, whatever the data imitates") {
  const std::string boundary(70, 'b');
  // Beginnings of a boundary are the worst data: each costs a comparison nearly to its end.
  const std::string nearly = "\r\n--" + boundary.substr(0, 69);
  const auto seconds = [&](std::size_t bytes) {
    Recorder recorder;
    recorder.keep = false;
    MultipartParser parser(boundary, recorder);
    (void)parser.push("--" + boundary + "\r\nContent-Disposition: form-data; name=\"a\"; filename=\"b\"\r\n\r\n");
    std::string data;
    while (data.size() < (1 << 16)) data += nearly;
    const auto begun = std::chrono::steady_clock::now();
    for (std::size_t sent = 0; sent < bytes; sent += data.size()) (void)parser.push(data);
    CHECK(recorder.received > bytes / 2);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  };
  double best_small = 1e9, best_large = 1e9;
  for (int i = 0; i < 5; ++i) {
    best_small = std::min(best_small, seconds(4 << 20));
    best_large = std::min(best_large, seconds(32 << 20));
  }
  // Eight times as much costs eight times, or 64 times if it grew with the square; the rest is what a busy machine
  // adds.
  CHECK_MESSAGE(best_large < 24 * best_small, best_small << " s, then " << best_large << " s");
}

}  // namespace wajah::server
