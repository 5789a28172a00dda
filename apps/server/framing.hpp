// The framing guard: decides from the raw header text how a request is framed, before any library parses it.
//
// Boost 1.81's parser accepts Transfer-Encoding beside Content-Length, Transfer-Encoding in HTTP/1.0 and bodies whose
// end two programs would see differently, which lets a request hide behind another at a proxy. The rules are those of
// RFC 9112, sections 3, 5 and 6.3, always in their strict reading: any doubt refuses the request and closes the
// connection.
#pragma once

#include "server/fault.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace wajah::server {

enum class BodyKind { none, length, chunked };

struct Framing {
  BodyKind body = BodyKind::none;
  std::uint64_t length = 0;  // of the body, when body is `length`
  bool is_1_0 = false;       // the request's version
  bool keep_alive = true;
  bool expects_continue = false;

  [[nodiscard]] bool has_body() const { return body == BodyKind::chunked || length > 0; }
};

struct HeadLimits {
  std::size_t bytes = 8192;
  std::size_t fields = 100;
};

// Finds the end of a header in bytes that arrive piece by piece. It refuses bare CR, bare LF, NUL and a header over its
// limits at the first byte that shows it, so no peer can hold a connection open with them.
class HeadScanner {
 public:
  explicit HeadScanner(HeadLimits limits = {}) : limits_(limits) {}

  // `head`: all bytes of this header so far. Gives the header's size (with its empty line) once it is whole, nothing
  // while more is needed, or a fault.
  [[nodiscard]] std::variant<std::monostate, std::size_t, Fault> scan(std::string_view head);

 private:
  HeadLimits limits_;
  std::size_t seen_ = 0, lines_ = 0, line_start_ = 0;
};

// `head`: one whole header, request line to empty line, as HeadScanner found it.
[[nodiscard]] std::variant<Framing, Fault> inspect(std::string_view head);

}  // namespace wajah::server
