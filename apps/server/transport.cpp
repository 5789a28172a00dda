#include "server/transport.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace wajah::server {
namespace {

using boost::system::error_code;
constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

// The content type of a TLS record that carries a handshake (RFC 8446, 5.1). No HTTP method begins with it.
constexpr char tls_handshake = 0x16;

}  // namespace

void Transport::set_deadline(Clock::time_point at) {
  expired_ = false;
  timer_.expires_at(at);
  timer_.async_wait([this, owner = owner_.lock()](const error_code& error) {
    // A wait that was replaced may complete without error; then the expiry lies ahead again.
    if (error || timer_.expiry() > Clock::now()) return;
    expired_ = true;
    error_code ignored;
    socket_.cancel(ignored);
  });
}

void Transport::clear_deadline() {
  expired_ = false;
  timer_.expires_at(Clock::time_point::max());
}

Outcome Transport::outcome_of(const error_code& error) const {
  if (!error) return Outcome::ok;
  return expired_ ? Outcome::timeout : Outcome::closed;
}

asio::awaitable<Greeting> Transport::greeting() {
  auto [waited] = co_await socket_.async_wait(asio::socket_base::wait_read, use_tuple);
  if (waited) co_return Greeting::nothing;
  char first = 0;
  error_code error;
  const std::size_t received = socket_.receive(asio::buffer(&first, 1), asio::socket_base::message_peek, error);
  if (error || received == 0) co_return Greeting::nothing;
  co_return first == tls_handshake ? Greeting::tls : Greeting::other;
}

asio::awaitable<Outcome> Transport::encrypt(std::shared_ptr<TlsContext> context) {
  context_ = std::move(context);
  tls_ = std::make_unique<TlsStream>(socket_, *context_);
  auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::server, use_tuple);
  co_return outcome_of(error);
}

asio::awaitable<Outcome> Transport::fill(std::size_t most) {
  if (expired_) co_return Outcome::timeout;
  const std::size_t before = input_.size();
  // An idle connection must not cost a read buffer, so it is made when there is something to read. Inside TLS the
  // socket does not tell: decrypted bytes may be waiting already.
  if (before == 0 && !tls_) {
    auto [error] = co_await socket_.async_wait(asio::socket_base::wait_read, use_tuple);
    if (error) co_return outcome_of(error);
  }
  input_.resize(before + most);
  const asio::mutable_buffer room(input_.data() + before, most);
  auto [error, received] =
      co_await with_stream([&](auto& stream) { return stream.async_read_some(room, use_tuple); });
  input_.resize(before + received);
  co_return outcome_of(error);
}

asio::awaitable<Outcome> Transport::write(std::string_view head, std::string_view body) {
  if (expired_) co_return Outcome::timeout;
  const std::array<asio::const_buffer, 2> bytes{asio::buffer(head), asio::buffer(body)};
  auto [error, written] =
      co_await with_stream([&](auto& stream) { return asio::async_write(stream, bytes, use_tuple); });
  co_return outcome_of(error);
}

asio::awaitable<void> Transport::close(std::chrono::milliseconds linger, std::size_t most) {
  error_code error;
  set_deadline(Clock::now() + linger);
  if (tls_) {
    // Tells the peer that the answer was not cut short by somebody between us, and waits for its farewell.
    std::tie(error) = co_await tls_->async_shutdown(use_tuple);
    tls_.reset();
  }
  socket_.shutdown(asio::socket_base::shutdown_send, error);
  std::size_t received = input_.size();
  while (!error && received < most) {
    input_.clear();
    if (co_await fill(std::min<std::size_t>(most, 16 * 1024)) != Outcome::ok) break;
    received += input_.size();
  }
  abort();
}

void Transport::abort() {
  timer_.cancel();
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace wajah::server
