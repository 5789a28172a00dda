#include "server/http_server.hpp"

#include "server/server_core.hpp"
#include "server/session.hpp"

#include <wajah/error.hpp>

#include <fmt/format.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <exception>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace wajah::server {
namespace {

using asio::ip::tcp;
constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::string_view full_house =
    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";

// How often a drained server looks whether its last connection has ended.
constexpr Milliseconds drain_step{10};
// How long accepting pauses when the process is out of descriptors or memory.
constexpr Milliseconds accept_pause{100};

bool is_exhausted(const boost::system::error_code& error) {
  return error == asio::error::no_descriptors || error == asio::error::no_memory ||
         error == asio::error::no_buffer_space || error == boost::system::errc::too_many_files_open_in_system;
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const HttpOptions& options, Site& site, AccessLog log)
      : core_(options, site, std::move(log)),
        strand_(asio::make_strand(core_.io)),
        acceptor_(strand_),
        signals_(strand_) {
    listen();
  }

  ~Impl() {
    core_.io.stop();
    join();
  }

  std::uint16_t port() const { return port_; }
  std::size_t connections() const { return core_.connections.count(); }
  Load load() const {
    return {connections(), core_.recognise.waiting(), core_.manage.waiting(), core_.query.waiting()};
  }

  bool answers(Milliseconds patience) {
    const auto done = std::make_shared<std::promise<void>>();
    asio::post(core_.io, [done] { done->set_value(); });
    return done->get_future().wait_for(patience) == std::future_status::ready;
  }

  void start() {
    asio::co_spawn(strand_, accept(), asio::detached);
    for (std::size_t i = 0; i < std::max<std::size_t>(core_.options.network_threads, 1); ++i) {
      threads_.emplace_back([this] { core_.io.run(); });
    }
  }

  void drain_on_signals(std::function<void()> on_hangup) {
    on_hangup_ = std::move(on_hangup);
    signals_.add(SIGTERM);
    signals_.add(SIGINT);
    if (on_hangup_) signals_.add(SIGHUP);
    wait_for_signal();
  }

  void drain() {
    core_.site.draining = true;
    core_.draining = true;
    asio::post(strand_, [this] {
      if (std::exchange(closing_, true)) return;
      take_backlog();
      for (const auto& session : core_.connections.all()) session->drain();
      asio::co_spawn(strand_, end(), asio::detached);
    });
  }

  bool wait() {
    join();
    return !cut_off_;
  }

 private:
  void listen();
  asio::awaitable<void> accept();
  asio::awaitable<void> end();
  void take_backlog();
  void welcome(tcp::socket socket);

  void wait_for_signal() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (signal == SIGHUP) {
        on_hangup_();
      } else if (core_.draining) {
        return cut_off();
      } else {
        drain();
      }
      wait_for_signal();
    });
  }

  void cut_off() {
    cut_off_ = true;
    core_.io.stop();
  }

  void join() {
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

  ServerCore core_;
  asio::strand<asio::io_context::executor_type> strand_;  // of everything below but the threads
  tcp::acceptor acceptor_;
  asio::signal_set signals_;
  std::function<void()> on_hangup_;
  bool closing_ = false;
  std::atomic<bool> cut_off_{false};
  std::uint16_t port_ = 0;
  std::vector<std::thread> threads_;
};

void HttpServer::Impl::listen() {
  const auto& wanted = core_.options.listen;
  const tcp::endpoint endpoint(asio::ip::make_address(wanted.host), wanted.port);
  boost::system::error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (!error) acceptor_.non_blocking(true, error);
  if (error == asio::error::address_in_use) {
    fail(ErrorKind::input,
         "port {} of {} is in use by another program; stop it or choose another with --listen {}:PORT", wanted.port,
         wanted.host, wanted.host);
  }
  if (error) fail(ErrorKind::input, "cannot listen on {}: {}", url_of(wanted), error.message());
  port_ = acceptor_.local_endpoint().port();
}

asio::awaitable<void> HttpServer::Impl::accept() {
  asio::steady_timer pause(strand_);
  while (!closing_) {
    auto [error, socket] =
        co_await acceptor_.async_accept(asio::any_io_executor(asio::make_strand(core_.io)), use_tuple);
    if (!error) {
      welcome(std::move(socket));
    } else if (is_exhausted(error)) {
      // The connection stays in the kernel's queue; asking again at once would spin until somebody hangs up.
      pause.expires_after(accept_pause);
      co_await pause.async_wait(use_tuple);
    }
  }
}

// Connections that the kernel has completed already would be reset with the listening socket, and some carry a request.
void HttpServer::Impl::take_backlog() {
  boost::system::error_code error;
  while (!error) {
    tcp::socket socket(asio::any_io_executor(asio::make_strand(core_.io)));
    acceptor_.accept(socket, error);
    if (!error) welcome(std::move(socket));
  }
  acceptor_.close(error);
}

// One connection that cannot be taken, for want of memory, must not end the taking of all others.
void HttpServer::Impl::welcome(tcp::socket socket) try {
  boost::system::error_code error;
  const auto peer = socket.remote_endpoint(error).address();
  if (error) return;
  const auto address = peer.to_string();
  const auto& unlimited = core_.options.unlimited_addresses;
  const bool limited = !peer.is_loopback() && std::ranges::find(unlimited, address) == unlimited.end();
  if (!core_.connections.enter(address, limited)) {
    socket.non_blocking(true, error);
    socket.send(asio::buffer(full_house), 0, error);
    return;
  }
  socket.set_option(tcp::no_delay(true), error);
  std::shared_ptr<Session> session;
  try {
    session = std::make_shared<Session>(std::move(socket), address, core_);
  } catch (...) {
    core_.connections.leave(nullptr, address);
    throw;
  }
  session->start();
} catch (const std::exception& fault) {
  core_.site.warn(fmt::format("a connection was not taken: {}", fault.what()));
}

asio::awaitable<void> HttpServer::Impl::end() {
  const auto deadline = Clock::now() + core_.options.drain_deadline;
  asio::steady_timer step(strand_);
  while (core_.connections.count() > 0 && Clock::now() < deadline) {
    step.expires_after(drain_step);
    co_await step.async_wait(use_tuple);
  }
  boost::system::error_code ignored;
  signals_.cancel(ignored);
  if (core_.connections.count() > 0) cut_off();
}

HttpServer::HttpServer(const HttpOptions& options, Site& site, AccessLog log)
    : impl_(std::make_unique<Impl>(options, site, std::move(log))) {}
HttpServer::~HttpServer() = default;
std::uint16_t HttpServer::port() const { return impl_->port(); }
void HttpServer::start() { impl_->start(); }
void HttpServer::drain_on_signals(std::function<void()> on_hangup) {
  impl_->drain_on_signals(std::move(on_hangup));
}
void HttpServer::drain() { impl_->drain(); }
bool HttpServer::wait() { return impl_->wait(); }
std::size_t HttpServer::connections() const { return impl_->connections(); }
HttpServer::Load HttpServer::load() const { return impl_->load(); }
bool HttpServer::answers(Milliseconds patience) const { return impl_->answers(patience); }

}  // namespace wajah::server
