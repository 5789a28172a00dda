#include "server/transport.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>

namespace wajah::server {
namespace {

using boost::system::error_code;
constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

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

asio::awaitable<Outcome> Transport::fill(std::size_t most) {
  if (expired_) co_return Outcome::timeout;
  const std::size_t before = input_.size();
  // An idle connection must not cost a read buffer, so it is made when there is something to read.
  if (before == 0) {
    auto [error] = co_await socket_.async_wait(asio::socket_base::wait_read, use_tuple);
    if (error) co_return outcome_of(error);
  }
  input_.resize(before + most);
  auto [error, received] = co_await socket_.async_read_some(asio::buffer(input_.data() + before, most), use_tuple);
  input_.resize(before + received);
  co_return outcome_of(error);
}

asio::awaitable<Outcome> Transport::write(std::string_view bytes) {
  if (expired_) co_return Outcome::timeout;
  auto [error, written] = co_await asio::async_write(socket_, asio::buffer(bytes), use_tuple);
  co_return outcome_of(error);
}

asio::awaitable<void> Transport::close(std::chrono::milliseconds linger, std::size_t most) {
  error_code error;
  socket_.shutdown(asio::socket_base::shutdown_send, error);
  std::size_t received = input_.size();
  set_deadline(Clock::now() + linger);
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
