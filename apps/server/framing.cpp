#include "server/framing.hpp"

#include "server/text.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace wajah::server {
namespace {

using Problem = std::optional<Fault>;

Fault framing(std::string cause) { return {FaultKind::framing, std::move(cause)}; }

// Everything the fields say about framing, gathered before any of it is believed.
struct Seen {
  bool is_1_0 = false;
  std::string_view target, host;
  int hosts = 0, lengths = 0, encodings = 0;
  std::uint64_t length = 0;
  bool close = false, keep_alive = false, expects_continue = false;
};

bool all_of(std::string_view text, bool (*accept)(char)) { return std::all_of(text.begin(), text.end(), accept); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_visible(char c) { return c > 0x20 && c < 0x7F; }
bool is_field_byte(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F); }
bool is_host_byte(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("-._~:[]").find(c) != std::string_view::npos;
}

// request-line = method SP target SP HTTP-version, with exactly one space between (RFC 9112, 3).
Problem read_request_line(std::string_view line, Seen& seen) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return framing("the request line has not three parts");
  if (first > 32 || !is_token(line.substr(0, first))) return framing("the method is not a token");
  seen.target = line.substr(first + 1, last - first - 1);
  if (seen.target.empty() || !all_of(seen.target, is_visible)) {
    return framing("the request target has a space, a control character or a byte that is not ASCII");
  }
  const auto version = line.substr(last + 1);
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) || version[6] != '.' ||
      !is_digit(version[7])) {
    return framing("the request line does not end in an HTTP version");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return Fault{FaultKind::version, "the server speaks HTTP/1.1 and HTTP/1.0"};
  }
  seen.is_1_0 = version == "HTTP/1.0";
  return std::nullopt;
}

Problem read_length(std::string_view value, Seen& seen) {
  if (++seen.lengths > 1) return framing("Content-Length is given more than once");
  // 18 digits cannot overflow 64 bits; no body of ours comes near.
  if (value.empty() || value.size() > 18 || !all_of(value, is_digit)) {
    return framing("Content-Length is not a plain decimal number below 10^18");
  }
  std::from_chars(value.data(), value.data() + value.size(), seen.length);
  return std::nullopt;
}

Problem read_encoding(std::string_view value, Seen& seen) {
  if (++seen.encodings > 1) return framing("Transfer-Encoding is given more than once");
  if (!equal_ignoring_case(value, "chunked")) return framing("Transfer-Encoding is not exactly \"chunked\"");
  return std::nullopt;
}

Problem read_host(std::string_view value, Seen& seen) {
  if (++seen.hosts > 1) return framing("Host is given more than once");
  if (value.empty() || !all_of(value, is_host_byte)) return framing("Host is not a host name with an optional port");
  seen.host = value;
  return std::nullopt;
}

void read_connection(std::string_view value, Seen& seen) {
  while (!value.empty()) {
    const auto comma = value.find(',');
    const auto option = trim(value.substr(0, comma));
    seen.close |= equal_ignoring_case(option, "close");
    seen.keep_alive |= equal_ignoring_case(option, "keep-alive");
    value = comma == std::string_view::npos ? std::string_view{} : value.substr(comma + 1);
  }
}

Problem read_field(std::string_view line, Seen& seen) {
  if (line.front() == ' ' || line.front() == '\t') return framing("a header line is folded");
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return framing("a header line has no colon");
  const auto name = to_lower(line.substr(0, colon));
  if (!is_token(name)) return framing("a header name is empty or has a character that names do not have");
  if (!all_of(line.substr(colon + 1), is_field_byte)) return framing("a header value has a control character");
  const auto value = trim(line.substr(colon + 1));
  if (name == "content-length") return read_length(value, seen);
  if (name == "transfer-encoding") return read_encoding(value, seen);
  if (name == "host") return read_host(value, seen);
  if (name == "trailer") return framing("trailers are not taken");
  if (name == "connection") read_connection(value, seen);
  if (name == "expect") {
    if (!equal_ignoring_case(value, "100-continue")) return Fault{FaultKind::expectation, "Expect is not 100-continue"};
    seen.expects_continue = true;
  }
  return std::nullopt;
}

// An absolute target names the authority a second time; a proxy may believe either (RFC 9112, 3.2.2).
Problem check_authority(const Seen& seen) {
  if (!equal_ignoring_case(seen.target.substr(0, 7), "http://")) return std::nullopt;
  const auto rest = seen.target.substr(7);
  const auto authority = rest.substr(0, rest.find_first_of("/?#"));
  if (seen.hosts == 1 && !equal_ignoring_case(authority, seen.host)) {
    return framing("Host differs from the host of the request target");
  }
  return std::nullopt;
}

std::variant<Framing, Fault> conclude(const Seen& seen) {
  if (seen.hosts == 0 && !seen.is_1_0) return framing("Host is missing");
  if (auto problem = check_authority(seen)) return *problem;
  if (seen.encodings && seen.lengths) return framing("both Content-Length and Transfer-Encoding are given");
  if (seen.encodings && seen.is_1_0) return framing("Transfer-Encoding does not exist in HTTP/1.0");
  Framing result;
  if (seen.encodings) result.body = BodyKind::chunked;
  if (seen.lengths) result.body = BodyKind::length;
  result.length = seen.length;
  result.is_1_0 = seen.is_1_0;
  result.keep_alive = !seen.close && (!seen.is_1_0 || seen.keep_alive);
  result.expects_continue = seen.expects_continue && !seen.is_1_0;
  return result;
}

}  // namespace

std::variant<std::monostate, std::size_t, Fault> HeadScanner::scan(std::string_view head) {
  for (; seen_ < head.size(); ++seen_) {
    if (seen_ >= limits_.bytes) {
      return Fault{FaultKind::head_too_large, "the header is longer than " + std::to_string(limits_.bytes) + " bytes"};
    }
    const char c = head[seen_];
    const bool after_cr = seen_ > 0 && head[seen_ - 1] == '\r';
    if (c == '\0') return framing("the header has a NUL");
    if (after_cr != (c == '\n')) return framing(after_cr ? "the header has a bare CR" : "the header has a bare LF");
    if (c != '\n') continue;
    if (seen_ == line_start_ + 1) return ++seen_;
    line_start_ = seen_ + 1;
    // The request line and the fields; the empty line has returned above.
    if (++lines_ > limits_.fields + 1) {
      return Fault{FaultKind::head_too_large, "the header has more than " + std::to_string(limits_.fields) + " fields"};
    }
  }
  return std::monostate{};
}

std::variant<Framing, Fault> inspect(std::string_view head) {
  Seen seen;
  bool first = true;
  while (!head.empty()) {
    const auto end = head.find("\r\n");
    if (end == std::string_view::npos) return framing("the header does not end in an empty line");
    const auto line = head.substr(0, end);
    head.remove_prefix(end + 2);
    if (line.empty()) {
      if (first || !head.empty()) return framing("the header has an empty line inside");
      return conclude(seen);
    }
    auto problem = first ? read_request_line(line, seen) : read_field(line, seen);
    if (problem) return *problem;
    first = false;
  }
  return framing("the header does not end in an empty line");
}

}  // namespace wajah::server
