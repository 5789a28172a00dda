// BodyReader: takes a request's body off the wire, whichever way it is framed, at a pace that must not be too slow.
// Internal to the HTTP server.
#pragma once

#include "server/chunked.hpp"
#include "server/fault.hpp"
#include "server/framing.hpp"
#include "server/http_options.hpp"
#include "server/transport.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace wajah::server {

// Tells when a body comes too slowly: after the grace, each window must bring its share.
class Pace {
 public:
  Pace(const HttpOptions& options, Clock::time_point start)
      : window_(options.body_window),
        least_(options.body_bytes_per_second * static_cast<std::size_t>(options.body_window.count()) / 1000),
        end_(start + options.body_grace + options.body_window) {}

  [[nodiscard]] Clock::time_point deadline() const { return end_; }
  void received(std::size_t bytes) { bytes_ += bytes; }

  // False if the window has ended without its share; if it has ended with it, the next one begins.
  [[nodiscard]] bool keeps_up(Clock::time_point now);

 private:
  Clock::duration window_;
  std::size_t least_, bytes_ = 0;
  Clock::time_point end_;
};

enum class BodyEnd { complete, fault, too_slow, closed };

class BodyReader {
 public:
  // Takes body bytes; a fault ends the reading.
  using Take = std::function<std::optional<Fault>(std::string_view)>;

  // `limit`: of the body's bytes, chunk frames not counted.
  BodyReader(const Framing& framing, std::size_t limit, const HttpOptions& options)
      : framing_(framing), limit_(limit), options_(options), left_(framing.length), decoder_(options.chunks) {}

  // Reads the rest of the body into `take`. What follows the body stays in the transport.
  [[nodiscard]] asio::awaitable<BodyEnd> read(Transport& transport, const Take& take);

  [[nodiscard]] const std::optional<Fault>& fault() const { return fault_; }
  [[nodiscard]] bool complete() const { return framing_.body == BodyKind::chunked ? decoder_.done() : left_ == 0; }

  // Bytes still to come, if the framing says how many and nothing about it is in doubt.
  [[nodiscard]] std::optional<std::uint64_t> left() const;

 private:
  // Uses what the transport has; true when the body is complete or a fault is set.
  [[nodiscard]] bool use(std::string& input, const Take& take);
  void use_chunked(std::string& input, const Take& take);
  [[nodiscard]] std::size_t most_to_read() const;

  Framing framing_;
  std::size_t limit_;
  const HttpOptions& options_;
  std::uint64_t left_, received_ = 0;
  ChunkedDecoder decoder_;
  std::optional<Fault> fault_;
};

}  // namespace wajah::server
