#include "server/api/webhook_worker.hpp"

#include <wajah/error.hpp>

#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <set>
#include <utility>

namespace wajah::server {

std::string webhook_signature(std::string_view secret, std::string_view payload, std::int64_t seconds) {
  const auto text = fmt::format("{}.{}", seconds, payload);
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(secret.data()), secret.size());
  crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> mac{};
  crypto_auth_hmacsha256_final(&state, mac.data());
  std::string hex;
  for (const auto byte : mac) hex += fmt::format("{:02x}", byte);
  return fmt::format("t={},v1={}", seconds, hex);
}

std::optional<std::chrono::seconds> pause_after(int attempts) {
  using namespace std::chrono_literals;
  constexpr std::array<std::chrono::seconds, 8> pauses{10s, 1min, 5min, 30min, 2h, 6h, 12h, 16h};
  if (attempts < 1) return 0s;
  if (attempts > static_cast<int>(pauses.size())) return std::nullopt;
  return pauses[static_cast<std::size_t>(attempts - 1)];
}

constexpr std::chrono::seconds longest_pause = std::chrono::hours(16);

WebhookWorker::WebhookWorker(attendance::WebhookStore& store, Options options)
    : store_(store), options_(std::move(options)) {
  if (!options_.post) {
    options_.post = [ca_file = options_.ca_file](std::string_view url, std::string_view body,
                                                 const PostHeaders& headers, std::chrono::milliseconds deadline) {
      return post_json(url, body, headers, deadline, ca_file);
    };
  }
  thread_ = std::thread([this] { serve(); });
}

WebhookWorker::~WebhookWorker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void WebhookWorker::serve() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    try {
      deliver_due();
    } catch (const Error& error) {
      options_.warn(error.what());
    }
    lock.lock();
    changed_.wait_for(lock, options_.poll, [this] { return stopping_; });
  }
}

void WebhookWorker::deliver_due() {
  constexpr std::size_t at_once = 16;  // of each webhook
  std::set<std::int64_t> silent;  // who does not answer keeps the others waiting once, not sixteen times
  for (const auto& due : store_.due(options_.now(), at_once)) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    if (!silent.contains(due.webhook.id) && !deliver(due)) silent.insert(due.webhook.id);
  }
}

// False if there was no answer at all.
bool WebhookWorker::deliver(const attendance::DueDelivery& due) {
  const auto& [delivery, webhook] = due;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options_.now().time_since_epoch()).count();
  const auto posted =
      options_.post(webhook.url, delivery.payload,
                    {{"X-Wajah-Event", delivery.event},
                     {"X-Wajah-Delivery", fmt::format("{}", delivery.id)},
                     {"X-Wajah-Signature", webhook_signature(webhook.secret, delivery.payload, seconds)}},
                    options_.deadline);
  const auto at = options_.now();
  if (posted.accepted()) {
    store_.delivered(delivery.id, at);
    return true;
  }
  const auto reason = posted.status ? fmt::format("answered {}", posted.status) : posted.error;
  const auto pause = pause_after(delivery.attempts + 1);
  store_.failed(delivery.id, reason, pause ? std::optional(at + *pause) : std::nullopt, at);
  if (posted.status != 0) return true;
  // The rest waits for the same moment: each would cost a deadline to find out again.
  store_.postpone(webhook.id, at + pause.value_or(longest_pause));
  return false;
}

}  // namespace wajah::server
