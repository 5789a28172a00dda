// ChunkedDecoder: the body of a "Transfer-Encoding: chunked" request (RFC 9112, 7.1), with bounds on everything.
#pragma once

#include "server/fault.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace wajah::server {

struct ChunkLimits {
  std::size_t chunks = 65'536;          // a body in one-byte chunks costs far more to take apart than to send
  std::size_t extension_bytes = 256;    // of one chunk
  std::size_t extensions_total = 8192;  // of the whole body
};

// Trailers are refused: fields that arrive after the body would have been checked against nothing.
class ChunkedDecoder {
 public:
  explicit ChunkedDecoder(ChunkLimits limits = {}) : limits_(limits) {}

  struct Step {
    std::size_t consumed = 0;
    std::string_view data;  // body bytes, a part of the input; may be empty
  };

  // Takes some of `input` (never empty), stopping after a run of body bytes, at the end of the body or at a fault.
  // Call again with the rest until done() or fault().
  [[nodiscard]] Step next(std::string_view input);

  [[nodiscard]] bool done() const { return state_ == State::done; }
  [[nodiscard]] const std::optional<Fault>& fault() const { return fault_; }

 private:
  enum class State { size, extension, size_lf, data, data_cr, data_lf, final_cr, final_lf, done };

  void take(char c);
  void take_size(char c);
  void take_extension(char c);
  void end_size_line();
  void refuse(const char* cause);

  ChunkLimits limits_;
  State state_ = State::size;
  std::uint64_t size_ = 0;
  std::size_t digits_ = 0, chunks_ = 0, extension_ = 0, extensions_ = 0;
  std::optional<Fault> fault_;
};

}  // namespace wajah::server
