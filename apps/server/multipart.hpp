// MultipartParser: multipart/form-data (RFC 7578, RFC 2046 5.1) from bytes that arrive in any pieces, in bounded memory
// and time linear in the input.
#pragma once

#include "server/fault.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wajah::server {

struct MultipartLimits {
  std::size_t parts = 128;        // 100 files and the other fields
  std::size_t head_bytes = 4096;  // of one part's header
  std::size_t head_fields = 16;
  std::size_t outside_bytes = 4096;  // before the first boundary, and after the last
};

struct PartHead {
  std::string name;
  std::optional<std::string> filename;  // a part is a file if it has one, even an empty one
  std::string content_type;             // as given; empty if not
};

// Told of each part in turn: begin, data any number of times, end. A fault it returns ends the parsing.
class PartSink {
 public:
  virtual ~PartSink() = default;
  [[nodiscard]] virtual std::optional<Fault> begin(PartHead head) = 0;
  [[nodiscard]] virtual std::optional<Fault> data(std::string_view bytes) = 0;
  [[nodiscard]] virtual std::optional<Fault> end() = 0;
};

// 1 to 70 characters of RFC 2046's bchars, not ending in a space.
[[nodiscard]] bool valid_boundary(std::string_view boundary);

class MultipartParser {
 public:
  // `boundary` must be valid; `sink` outlives the parser.
  MultipartParser(std::string_view boundary, PartSink& sink, MultipartLimits limits = {});

  // Takes all of `bytes`. After a fault (whose cause begins with the byte's offset in the body) call no more.
  [[nodiscard]] std::optional<Fault> push(std::string_view bytes);

  // The body has ended; a fault if the closing boundary has not come.
  [[nodiscard]] std::optional<Fault> finish();

 private:
  enum class State { preamble, after_boundary, head, body, epilogue };
  enum class Progress { more_input, stepped };

  [[nodiscard]] Progress step();
  [[nodiscard]] Progress skip_preamble();
  [[nodiscard]] Progress read_after_boundary();
  [[nodiscard]] Progress read_head();
  [[nodiscard]] Progress read_body();
  [[nodiscard]] Progress skip_epilogue();
  Progress fail(std::string_view cause);
  Progress fail(std::optional<Fault> fault);
  void consume(std::size_t bytes);

  PartSink& sink_;
  MultipartLimits limits_;
  std::string delimiter_;  // CR LF -- boundary
  std::string buffer_;     // bytes not yet decided, from front_ on
  std::size_t front_ = 0;
  std::size_t searched_ = 0;  // of the undecided bytes: those in which the end of a part's header cannot begin
  std::int64_t offset_ = 0;   // in the body, of the first undecided byte
  std::size_t parts_ = 0, outside_ = 0;
  State state_ = State::preamble;
  bool at_body_start_ = false;
  std::optional<Fault> fault_;
};

// Reads a part's header lines (without the empty line). The fault says what is wrong, without an offset.
struct PartHeadResult {
  PartHead head;
  std::string_view fault;  // empty if there is none
};
[[nodiscard]] PartHeadResult parse_part_head(std::string_view lines, std::size_t max_fields);

}  // namespace wajah::server
