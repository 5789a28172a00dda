#include "server/body_reader.hpp"

#include <algorithm>

namespace wajah::server {
namespace {

constexpr std::size_t read_size = std::size_t{64} << 10;

}  // namespace

bool Pace::keeps_up(Clock::time_point now) {
  if (now < end_) return true;
  if (bytes_ < least_) return false;
  bytes_ = 0;
  end_ = now + window_;
  return true;
}

std::optional<std::uint64_t> BodyReader::left() const {
  if (framing_.body == BodyKind::chunked) return decoder_.done() ? std::optional<std::uint64_t>(0) : std::nullopt;
  return left_;
}

std::size_t BodyReader::most_to_read() const {
  if (framing_.body == BodyKind::chunked) return read_size;
  // Not a byte beyond the body, so that a pipelined request never waits in a buffer of this size.
  return static_cast<std::size_t>(std::min<std::uint64_t>(left_, read_size));
}

asio::awaitable<BodyEnd> BodyReader::read(Transport& transport, const Take& take) {
  Pace pace(options_, Clock::now());
  while (!use(transport.input(), take)) {
    transport.set_deadline(pace.deadline());
    const Outcome outcome = co_await transport.fill(most_to_read());
    if (outcome == Outcome::closed) co_return BodyEnd::closed;
    pace.received(transport.input().size());
    if (!pace.keeps_up(Clock::now())) co_return BodyEnd::too_slow;
  }
  transport.clear_deadline();
  co_return fault_ ? BodyEnd::fault : BodyEnd::complete;
}

bool BodyReader::use(std::string& input, const Take& take) {
  if (framing_.body == BodyKind::chunked) {
    use_chunked(input, take);
  } else {
    const auto run = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
    // Counted as used before it is taken: after a fault, left() tells what is still to come.
    left_ -= run;
    if (run > 0) fault_ = take(std::string_view(input).substr(0, run));
    input.erase(0, run);
  }
  return fault_ || complete();
}

void BodyReader::use_chunked(std::string& input, const Take& take) {
  std::size_t used = 0;
  while (used < input.size() && !decoder_.done() && !fault_) {
    const auto step = decoder_.next(std::string_view(input).substr(used));
    used += step.consumed;
    received_ += step.data.size();
    if (decoder_.fault()) {
      fault_ = decoder_.fault();
    } else if (received_ > limit_) {
      fault_ = Fault{FaultKind::too_large, "the chunks add up to more than the route takes"};
    } else if (!step.data.empty()) {
      fault_ = take(step.data);
    }
  }
  input.erase(0, used);
}

}  // namespace wajah::server
