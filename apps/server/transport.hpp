// Transport: one connection's socket, plain or inside TLS, the bytes read ahead from it, and a deadline on everything.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace wajah::server {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using TlsContext = asio::ssl::context;

enum class Outcome { ok, closed, timeout };

// What a peer that has just connected speaks, by its first byte.
enum class Greeting { nothing, tls, other };

// Used on the connection's strand only.
class Transport {
 public:
  explicit Transport(asio::ip::tcp::socket socket) : socket_(std::move(socket)), timer_(socket_.get_executor()) {}

  // Whoever owns the transport; kept alive while a deadline is pending.
  void set_owner(std::weak_ptr<void> owner) { owner_ = std::move(owner); }

  [[nodiscard]] asio::ip::tcp::socket& socket() { return socket_; }
  [[nodiscard]] bool is_encrypted() const { return tls_ != nullptr; }

  // Bytes received and not yet used.
  [[nodiscard]] std::string& input() { return input_; }

  // From now on, whatever waits at `at` is cancelled and ends with Outcome::timeout.
  void set_deadline(Clock::time_point at);
  void clear_deadline();

  // Waits for the first byte and looks at it without taking it.
  [[nodiscard]] asio::awaitable<Greeting> greeting();

  // The server's part of a TLS handshake; everything after it is encrypted. Nothing may have been read before.
  [[nodiscard]] asio::awaitable<Outcome> encrypt(std::shared_ptr<TlsContext> context);

  // Waits for bytes and appends up to `most` of them to input().
  [[nodiscard]] asio::awaitable<Outcome> fill(std::size_t most);

  // Sends `head`, then `body`.
  [[nodiscard]] asio::awaitable<Outcome> write(std::string_view head, std::string_view body = {});

  // Ends the connection. First lets the peer go on sending for a while, up to `most` bytes, because closing with unread
  // bytes makes the kernel send a reset that can destroy the answer on its way.
  [[nodiscard]] asio::awaitable<void> close(std::chrono::milliseconds linger, std::size_t most);

  // Ends the connection at once.
  void abort();

 private:
  using TlsStream = asio::ssl::stream<asio::ip::tcp::socket&>;

  // What an operation's error code means to a caller.
  [[nodiscard]] Outcome outcome_of(const boost::system::error_code& error) const;

  // Does `work` with whichever stream is in use; both give the same awaitable.
  template <class Work>
  auto with_stream(Work work) {
    return tls_ ? work(*tls_) : work(socket_);
  }

  asio::ip::tcp::socket socket_;
  asio::steady_timer timer_;
  std::weak_ptr<void> owner_;
  std::string input_;
  bool expired_ = false;
  // The certificate may be replaced while connections live that were made with the old one.
  std::shared_ptr<TlsContext> context_;
  std::unique_ptr<TlsStream> tls_;
};

}  // namespace wajah::server
