#include "server/multipart.hpp"

#include "server/header_value.hpp"
#include "server/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace wajah::server {
namespace {

bool is_field_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F); });
}

bool is_identity(std::string_view encoding) {
  return equal_ignoring_case(encoding, "binary") || equal_ignoring_case(encoding, "8bit") ||
         equal_ignoring_case(encoding, "7bit");
}

// name and filename of a Content-Disposition; gives what is wrong, or nothing.
std::string_view read_disposition(std::string_view value, PartHead& head) {
  const auto disposition = parse_header_value(value);
  if (!disposition) return "Content-Disposition cannot be read";
  if (disposition->value != "form-data") return "Content-Disposition is not form-data";
  const auto* name = disposition->find("name");
  if (!name || name->empty()) return "a part has no name";
  // RFC 7578, 4.2 forbids it: beside a filename, two programs would disagree on which one counts.
  if (disposition->find("filename*")) return "filename* is not taken in form-data";
  head.name = *name;
  if (const auto* filename = disposition->find("filename")) head.filename = *filename;
  return {};
}

std::string_view read_part_field(std::string_view line, PartHead& head, bool& disposed) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) || !is_field_text(line)) {
    return "a part's header line cannot be read";
  }
  const auto name = line.substr(0, colon);
  const auto value = trim(line.substr(colon + 1));
  if (equal_ignoring_case(name, "content-disposition")) {
    if (std::exchange(disposed, true)) return "a part has two Content-Dispositions";
    return read_disposition(value, head);
  }
  if (equal_ignoring_case(name, "content-type")) head.content_type = value;
  if (equal_ignoring_case(name, "content-transfer-encoding") && !is_identity(value)) {
    return "a part has a transfer encoding";
  }
  return {};
}

}  // namespace

PartHeadResult parse_part_head(std::string_view lines, std::size_t max_fields) {
  PartHeadResult result;
  bool disposed = false;
  std::size_t fields = 0;
  while (!lines.empty() && result.fault.empty()) {
    const auto end = std::min(lines.find("\r\n"), lines.size());
    if (++fields > max_fields) {
      result.fault = "a part has too many header lines";
    } else {
      result.fault = read_part_field(lines.substr(0, end), result.head, disposed);
    }
    lines.remove_prefix(std::min(end + 2, lines.size()));
  }
  if (result.fault.empty() && !disposed) result.fault = "a part has no Content-Disposition";
  return result;
}

bool valid_boundary(std::string_view boundary) {
  constexpr std::string_view marks = "'()+_,-./:=? ";
  if (boundary.empty() || boundary.size() > 70 || boundary.ends_with(' ')) return false;
  return std::all_of(boundary.begin(), boundary.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           marks.find(c) != std::string_view::npos;
  });
}

// The body is read as if a line end preceded it, so that the first boundary looks like all others.
MultipartParser::MultipartParser(std::string_view boundary, PartSink& sink, MultipartLimits limits)
    : sink_(sink), limits_(limits), delimiter_("\r\n--" + std::string(boundary)), buffer_("\r\n"), offset_(-2) {}

std::optional<Fault> MultipartParser::push(std::string_view bytes) {
  buffer_.append(bytes);
  while (!fault_ && step() == Progress::stepped) {
  }
  buffer_.erase(0, front_);
  front_ = 0;
  return fault_;
}

std::optional<Fault> MultipartParser::finish() {
  if (state_ != State::epilogue) fail("the body ends before its closing boundary");
  return fault_;
}

MultipartParser::Progress MultipartParser::step() {
  switch (state_) {
    case State::preamble: return skip_preamble();
    case State::after_boundary: return read_after_boundary();
    case State::head: return read_head();
    case State::body: return read_body();
    case State::epilogue: return skip_epilogue();
  }
  return Progress::more_input;
}

void MultipartParser::consume(std::size_t bytes) {
  front_ += bytes;
  offset_ += static_cast<std::int64_t>(bytes);
}

MultipartParser::Progress MultipartParser::fail(std::string_view cause) {
  fault_ = Fault{FaultKind::body, fmt::format("byte {}: {}", std::max<std::int64_t>(offset_, 0), cause)};
  return Progress::more_input;
}

MultipartParser::Progress MultipartParser::fail(std::optional<Fault> fault) {
  fault->cause = fmt::format("byte {}: {}", offset_, fault->cause);
  fault_ = std::move(fault);
  return Progress::more_input;
}

MultipartParser::Progress MultipartParser::skip_preamble() {
  const auto rest = std::string_view(buffer_).substr(front_);
  const auto found = rest.find(delimiter_);
  // Without a delimiter, all but the bytes that may be the front of one are preamble.
  const auto skipped = found != rest.npos ? found : rest.size() - std::min(rest.size(), delimiter_.size() - 1);
  outside_ += skipped;
  if (outside_ > limits_.outside_bytes) return fail("the first boundary does not come");
  consume(skipped);
  if (found == rest.npos) return Progress::more_input;
  consume(delimiter_.size());
  state_ = State::after_boundary;
  return Progress::stepped;
}

MultipartParser::Progress MultipartParser::read_after_boundary() {
  const auto rest = std::string_view(buffer_).substr(front_);
  if (rest.size() < 2) return Progress::more_input;
  outside_ = 0;
  if (rest.starts_with("--")) {
    state_ = State::epilogue;
  } else if (rest.starts_with("\r\n")) {
    if (++parts_ > limits_.parts) return fail("the form has too many parts");
    state_ = State::head;
    searched_ = 0;
  } else {
    return fail("a boundary is followed by neither a line end nor --");
  }
  consume(2);
  return Progress::stepped;
}

MultipartParser::Progress MultipartParser::read_head() {
  const auto rest = std::string_view(buffer_).substr(front_);
  if (rest.starts_with("\r\n")) return fail("a part has no header");
  const auto end = rest.find("\r\n\r\n", searched_);
  if (end == rest.npos ? rest.size() > limits_.head_bytes : end > limits_.head_bytes) {
    return fail("a part's header is too long");
  }
  if (end == rest.npos) {
    searched_ = rest.size() - std::min<std::size_t>(rest.size(), 3);
    return Progress::more_input;
  }
  auto [head, fault] = parse_part_head(rest.substr(0, end), limits_.head_fields);
  if (!fault.empty()) return fail(fault);
  if (auto refused = sink_.begin(std::move(head))) return fail(std::move(refused));
  consume(end + 4);
  state_ = State::body;
  at_body_start_ = true;
  return Progress::stepped;
}

MultipartParser::Progress MultipartParser::read_body() {
  const auto rest = std::string_view(buffer_).substr(front_);
  const auto found = rest.find(delimiter_);
  const auto certain = found != rest.npos ? found : rest.size() - std::min(rest.size(), delimiter_.size() - 1);
  if (certain > 0) {
    // A part that is empty down to its line end: some would see a boundary here, some see data.
    if (std::exchange(at_body_start_, false) && rest.starts_with(std::string_view(delimiter_).substr(2))) {
      return fail("a boundary inside a part");
    }
    if (auto refused = sink_.data(rest.substr(0, certain))) return fail(std::move(refused));
    consume(certain);
  }
  if (found == rest.npos) return Progress::more_input;
  if (auto refused = sink_.end()) return fail(std::move(refused));
  consume(delimiter_.size());
  state_ = State::after_boundary;
  return Progress::stepped;
}

MultipartParser::Progress MultipartParser::skip_epilogue() {
  const auto rest = buffer_.size() - front_;
  outside_ += rest;
  if (outside_ > limits_.outside_bytes) return fail("too many bytes after the closing boundary");
  consume(rest);
  return Progress::more_input;
}

}  // namespace wajah::server
