// ServerCore: what all connections of one server share. Internal to the HTTP server.
#pragma once

#include "server/http_options.hpp"
#include "server/site.hpp"
#include "server/work_queue.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace wajah::server {

namespace asio = boost::asio;

class Session;

// The connections that are open, and how many come from each address.
class Connections {
 public:
  Connections(std::size_t most, std::size_t most_per_address) : most_(most), most_per_address_(most_per_address) {}

  // Counts one more from `address` unless a limit forbids it; `limited` false exempts the address.
  [[nodiscard]] bool enter(const std::string& address, bool limited);
  void add(const std::shared_ptr<Session>& session);
  void leave(const Session* session, const std::string& address);

  [[nodiscard]] std::size_t count() const;
  [[nodiscard]] std::vector<std::shared_ptr<Session>> all() const;

 private:
  std::size_t most_, most_per_address_;
  mutable std::mutex mutex_;  // guards all below
  std::size_t count_ = 0;
  std::unordered_map<std::string, std::size_t> per_address_;
  std::unordered_map<const Session*, std::weak_ptr<Session>> sessions_;
};

struct ServerCore {
  ServerCore(const HttpOptions& http_options, Site& site_of_routes, AccessLog access_log);

  HttpOptions options;
  Site& site;
  AccessLog log;
  std::string id_prefix;  // random, so that request ids of two runs differ
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::size_t> uploads{0};
  std::atomic<bool> draining{false};
  SpoolSpace spool;
  Connections connections;

  // In this order: the queues' threads end first, then the coroutines that io holds, then what those refer to.
  asio::io_context io;
  WorkQueue recognise, manage, query;
};

}  // namespace wajah::server
