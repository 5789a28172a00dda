// ReplyMemory: the answers given to requests with an Idempotency-Key, so that a request that is sent again because its
// answer was lost is answered again instead of being done twice.
#pragma once

#include "server/reply.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace wajah::server {

class ReplyMemory {
 public:
  using Clock = std::chrono::steady_clock;

  explicit ReplyMemory(std::size_t most = 4096, std::chrono::seconds keep = std::chrono::hours(24))
      : most_(most), keep_(keep) {}

  // What to do with a request: answer as before, refuse because the key belongs to another request, or do it and then
  // call keep() or forget(). Waits while the same request is being done.
  struct Verdict {
    enum class Kind { fresh, replay, reused } kind = Kind::fresh;
    std::optional<Reply> reply;
  };
  [[nodiscard]] Verdict begin(const std::string& key, const std::string& fingerprint, Clock::time_point now);

  void keep(const std::string& key, const Reply& reply);
  void forget(const std::string& key);  // it failed in a way that another try may mend

  // Drops the answers that tell of somebody who was removed.
  void forget_if(const std::function<bool(const Reply&)>& tells);

 private:
  struct Entry {
    std::string fingerprint;
    Clock::time_point at;
    std::optional<Reply> reply;  // nothing: being done
    std::list<std::string>::iterator place;
  };

  void make_room(Clock::time_point now);
  void erase(std::map<std::string, Entry>::iterator entry);

  std::size_t most_;
  std::chrono::seconds keep_;
  std::mutex mutex_;
  std::condition_variable done_;
  std::map<std::string, Entry> entries_;
  std::list<std::string> order_;  // oldest first
};

}  // namespace wajah::server
