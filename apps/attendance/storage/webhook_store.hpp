// WebhookStore: addresses that want to hear of events, and the queue of what they have yet to hear. What was enqueued
// survives a restart and is delivered at least once.
#pragma once

#include "attendance/store.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::attendance {

struct Webhook {
  std::int64_t id = 0;
  std::string url;
  std::string secret;               // what deliveries are signed with
  std::vector<std::string> events;  // names; "*": all
  bool active = true;
  Time created_at;
};

struct WebhookChange {
  std::optional<std::string> url, secret;
  std::optional<std::vector<std::string>> events;
  std::optional<bool> active;
};

enum class DeliveryState { waiting, delivered, given_up };

struct Delivery {
  std::int64_t id = 0;
  std::int64_t webhook = 0;
  std::string event, payload;
  DeliveryState state = DeliveryState::waiting;
  int attempts = 0;
  Time next_at, created_at;
  std::string error;  // of the last attempt
};

struct DueDelivery {
  Delivery delivery;
  Webhook webhook;
};

class WebhookStore {
 public:
  virtual ~WebhookStore() = default;

  virtual Webhook add(const Webhook& webhook) = 0;  // its id is given by the store
  [[nodiscard]] virtual std::vector<Webhook> webhooks() = 0;
  virtual std::optional<Webhook> update(std::int64_t webhook, const WebhookChange& change) = 0;  // nothing if unknown
  virtual bool remove(std::int64_t webhook) = 0;                                                 // with its deliveries

  // A delivery to every active webhook that wants the event; returns how many. `person`: whom the payload is about; the
  // deliveries are erased with them.
  virtual std::int64_t enqueue(std::string_view event, std::string_view payload, std::optional<PersonId> person,
                               Time at) = 0;

  // Waiting deliveries of active webhooks whose time has come, the longest waiting first; at most `limit` of each
  // webhook, so that one that does not answer takes no other's place.
  [[nodiscard]] virtual std::vector<DueDelivery> due(Time now, std::size_t limit) = 0;
  [[nodiscard]] virtual std::optional<Time> next_due() = 0;  // when the next one will be; nothing: none waits

  virtual void delivered(std::int64_t delivery, Time at) = 0;
  // Counts an attempt; tried again at `next_at`, given up if that is nothing.
  virtual void failed(std::int64_t delivery, std::string_view error, std::optional<Time> next_at, Time at) = 0;

  [[nodiscard]] virtual std::vector<Delivery> deliveries(std::int64_t webhook, std::size_t limit) = 0;  // newest first
  // Deliveries that were over before `at`, and those that have waited since before it; returns how many.
  virtual std::int64_t remove_ended_before(Time at) = 0;

  // Nothing of the webhook is due before `until`; no attempt is counted.
  virtual void postpone(std::int64_t webhook, Time until) = 0;
};

}  // namespace wajah::attendance
