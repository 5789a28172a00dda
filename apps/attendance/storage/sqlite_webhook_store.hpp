// SqliteWebhookStore: the WebhookStore in SQLite.
#pragma once

#include "attendance/storage/database.hpp"
#include "attendance/storage/webhook_store.hpp"

namespace wajah::attendance {

class SqliteWebhookStore final : public WebhookStore {
 public:
  explicit SqliteWebhookStore(Database& database) : database_(database) {}  // which outlives it

  Webhook add(const Webhook& webhook) override;
  std::vector<Webhook> webhooks() override;
  std::optional<Webhook> update(std::int64_t webhook, const WebhookChange& change) override;
  bool remove(std::int64_t webhook) override;
  std::int64_t enqueue(std::string_view event, std::string_view payload, std::optional<PersonId> person,
                       Time at) override;
  std::vector<DueDelivery> due(Time now, std::size_t limit) override;
  std::optional<Time> next_due() override;
  void delivered(std::int64_t delivery, Time at) override;
  void failed(std::int64_t delivery, std::string_view error, std::optional<Time> next_at, Time at) override;
  void postpone(std::int64_t webhook, Time until) override;
  std::vector<Delivery> deliveries(std::int64_t webhook, std::size_t limit) override;
  std::int64_t remove_ended_before(Time at) override;

 private:
  Database& database_;
};

}  // namespace wajah::attendance
