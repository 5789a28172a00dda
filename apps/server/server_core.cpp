#include "server/server_core.hpp"

#include <fmt/format.h>

#include <random>
#include <utility>

namespace wajah::server {

ServerCore::ServerCore(const HttpOptions& http_options, Site& site_of_routes, AccessLog access_log)
    : options(http_options),
      site(site_of_routes),
      log(std::move(access_log)),
      id_prefix(fmt::format("{:08x}", std::random_device{}())),
      spool(options.spool_folder, options.spool),
      connections(options.max_connections, options.max_connections_per_address),
      recognise(options.recognise_threads, options.recognise_queue),
      manage(options.manage_threads, options.manage_queue),
      query(options.query_threads, options.query_queue) {}

bool Connections::enter(const std::string& address, bool limited) {
  const std::lock_guard lock(mutex_);
  auto& from_there = per_address_[address];
  const bool welcome = count_ < most_ && (!limited || from_there < most_per_address_);
  if (welcome) {
    ++count_;
    ++from_there;
  } else if (from_there == 0) {
    per_address_.erase(address);
  }
  return welcome;
}

void Connections::add(const std::shared_ptr<Session>& session) {
  const std::lock_guard lock(mutex_);
  sessions_[session.get()] = session;
}

void Connections::leave(const Session* session, const std::string& address) {
  const std::lock_guard lock(mutex_);
  sessions_.erase(session);
  --count_;
  const auto found = per_address_.find(address);
  if (--found->second == 0) per_address_.erase(found);
}

std::size_t Connections::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

std::vector<std::shared_ptr<Session>> Connections::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Session>> result;
  for (const auto& [key, weak] : sessions_) {
    if (auto session = weak.lock()) result.push_back(std::move(session));
  }
  return result;
}

}  // namespace wajah::server
