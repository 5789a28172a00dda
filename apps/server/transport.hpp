// Transport: one connection's socket, the bytes read ahead from it, and a deadline on everything.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace wajah::server {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

enum class Outcome { ok, closed, timeout };

// Used on the connection's strand only.
class Transport {
 public:
  explicit Transport(asio::ip::tcp::socket socket) : socket_(std::move(socket)), timer_(socket_.get_executor()) {}

  // Whoever owns the transport; kept alive while a deadline is pending.
  void set_owner(std::weak_ptr<void> owner) { owner_ = std::move(owner); }

  [[nodiscard]] asio::ip::tcp::socket& socket() { return socket_; }

  // Bytes received and not yet used.
  [[nodiscard]] std::string& input() { return input_; }

  // From now on, whatever waits at `at` is cancelled and ends with Outcome::timeout.
  void set_deadline(Clock::time_point at);
  void clear_deadline();

  // Waits for bytes and appends up to `most` of them to input().
  [[nodiscard]] asio::awaitable<Outcome> fill(std::size_t most);

  [[nodiscard]] asio::awaitable<Outcome> write(std::string_view bytes);

  // What an operation's error code means to a caller.
  [[nodiscard]] Outcome outcome_of(const boost::system::error_code& error) const;

  // Ends the connection. First lets the peer go on sending for a while, up to `most` bytes, because closing with unread
  // bytes makes the kernel send a reset that can destroy the answer on its way.
  [[nodiscard]] asio::awaitable<void> close(std::chrono::milliseconds linger, std::size_t most);

  // Ends the connection at once.
  void abort();

 private:
  asio::ip::tcp::socket socket_;
  asio::steady_timer timer_;
  std::weak_ptr<void> owner_;
  std::string input_;
  bool expired_ = false;
};

}  // namespace wajah::server
