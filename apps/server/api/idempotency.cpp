#include "server/api/idempotency.hpp"

#include <iterator>
#include <utility>

namespace wajah::server {

ReplyMemory::Verdict ReplyMemory::begin(const std::string& key, const std::string& fingerprint, Clock::time_point now) {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) break;
    if (found->second.fingerprint != fingerprint) return {Verdict::Kind::reused, std::nullopt};
    if (found->second.reply && now - found->second.at < keep_) return {Verdict::Kind::replay, found->second.reply};
    if (found->second.reply) {
      erase(found);
      break;
    }
    done_.wait(lock);
  }
  make_room(now);
  const auto place = order_.insert(order_.end(), key);
  entries_.emplace(key, Entry{fingerprint, now, std::nullopt, place});
  return {};
}

void ReplyMemory::keep(const std::string& key, const Reply& reply) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found != entries_.end()) found->second.reply = reply;
  done_.notify_all();
}

void ReplyMemory::forget(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found != entries_.end()) erase(found);
  done_.notify_all();
}

void ReplyMemory::forget_if(const std::function<bool(const Reply&)>& tells) {
  const std::lock_guard lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    if (entry->second.reply && tells(*entry->second.reply)) erase(entry);
    entry = next;
  }
}

// Those being done stay: their requests still wait for an answer.
void ReplyMemory::make_room(Clock::time_point now) {
  for (auto key = order_.begin(); key != order_.end();) {
    const auto entry = entries_.find(*key++);
    const bool old = now - entry->second.at >= keep_;
    if (!old && entries_.size() < most_) return;
    if (entry->second.reply) erase(entry);
  }
}

void ReplyMemory::erase(std::map<std::string, Entry>::iterator entry) {
  order_.erase(entry->second.place);
  entries_.erase(entry);
}

}  // namespace wajah::server
