// HttpServer: accepts connections and answers requests from the route table until it is told to drain.
#pragma once

#include "server/http_options.hpp"
#include "server/site.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace wajah::server {

class HttpServer {
 public:
  // Listens from here on, answers after start(). `site` outlives the server. Throws Error (input) with a sentence if
  // the address cannot be had.
  HttpServer(const HttpOptions& options, Site& site, AccessLog log = {});
  ~HttpServer();  // cuts off what still runs
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  HttpServer(HttpServer&&) = delete;
  HttpServer& operator=(HttpServer&&) = delete;

  [[nodiscard]] std::uint16_t port() const;

  void start();

  // SIGTERM and SIGINT drain from now on; a second one cuts off. SIGHUP calls `on_hangup`, if there is one.
  void drain_on_signals(std::function<void()> on_hangup = {});

  // Stops accepting, answers what has begun with Connection: close, ends idle connections. From any thread, at once.
  void drain();

  // Blocks until drained. False if the drain deadline passed first and requests were cut off.
  bool wait();

  // Connections open now.
  [[nodiscard]] std::size_t connections() const;

  struct Load {
    std::size_t connections = 0;
    std::size_t recognise_waiting = 0, manage_waiting = 0, query_waiting = 0;
  };
  [[nodiscard]] Load load() const;

  // Whether a network thread gets round to something new within `patience`; not to be asked on one of them.
  [[nodiscard]] bool answers(Milliseconds patience) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wajah::server
