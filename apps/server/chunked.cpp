#include "server/chunked.hpp"

#include <algorithm>

namespace wajah::server {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ChunkedDecoder::Step ChunkedDecoder::next(std::string_view input) {
  std::size_t consumed = 0;
  while (consumed < input.size() && !done() && !fault_) {
    if (state_ == State::data) {
      const auto run = static_cast<std::size_t>(std::min<std::uint64_t>(size_, input.size() - consumed));
      size_ -= run;
      if (size_ == 0) state_ = State::data_cr;
      return {consumed + run, input.substr(consumed, run)};
    }
    take(input[consumed++]);
  }
  return {consumed, {}};
}

void ChunkedDecoder::take(char c) {
  switch (state_) {
    case State::size: return take_size(c);
    case State::extension: return take_extension(c);
    case State::size_lf: return c == '\n' ? end_size_line() : refuse("a chunk's size line has a bare CR");
    case State::data_cr:
      if (c != '\r') return refuse("a chunk is longer than its size");
      state_ = State::data_lf;
      return;
    case State::data_lf:
      if (c != '\n') return refuse("a chunk does not end in CR LF");
      state_ = State::size;
      return;
    case State::final_cr:
      if (c != '\r') return refuse("trailers are not taken");
      state_ = State::final_lf;
      return;
    case State::final_lf:
      if (c != '\n') return refuse("the last chunk does not end in CR LF");
      state_ = State::done;
      return;
    case State::data:
    case State::done: return;
  }
}

void ChunkedDecoder::take_size(char c) {
  const int value = hex_value(c);
  if (value >= 0) {
    // 15 hex digits cannot overflow 64 bits.
    if (++digits_ > 15) return refuse("a chunk's size has more than 15 digits");
    size_ = size_ * 16 + static_cast<std::uint64_t>(value);
    return;
  }
  if (digits_ == 0 || (c != '\r' && c != ';')) return refuse("a chunk's size is not a hexadecimal number");
  state_ = c == ';' ? State::extension : State::size_lf;
}

void ChunkedDecoder::take_extension(char c) {
  if (c == '\r') {
    state_ = State::size_lf;
    return;
  }
  if (c != '\t' && (c < 0x20 || c == 0x7F)) return refuse("a chunk extension has a control character");
  if (++extension_ > limits_.extension_bytes || ++extensions_ > limits_.extensions_total) {
    refuse("chunk extensions are too long");
  }
}

void ChunkedDecoder::end_size_line() {
  digits_ = extension_ = 0;
  if (size_ == 0) {
    state_ = State::final_cr;
  } else if (++chunks_ > limits_.chunks) {
    refuse("the body has too many chunks");
  } else {
    state_ = State::data;
  }
}

void ChunkedDecoder::refuse(const char* cause) { fault_ = Fault{FaultKind::framing, cause}; }

}  // namespace wajah::server
