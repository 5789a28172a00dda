#include "attendance/storage/sqlite_webhook_store.hpp"

#include "attendance/storage/sql_values.hpp"

#include <algorithm>

namespace wajah::attendance {
namespace {

// Columns id, url, secret, events, active, created_at from `first` on.
Webhook webhook_of(const sqlite::Statement& row, int first = 0) {
  return {row.integer(first),         row.text(first + 1),         row.text(first + 2),
          split(row.text(first + 3)), row.integer(first + 4) != 0, time_of(row.integer(first + 5))};
}

DeliveryState state_of(std::string_view text) {
  if (text == "delivered") return DeliveryState::delivered;
  return text == "given_up" ? DeliveryState::given_up : DeliveryState::waiting;
}

// Columns id, webhook, event, payload, state, attempts, next_at, created_at, error.
Delivery delivery_of(const sqlite::Statement& row) {
  return {row.integer(0),
          row.integer(1),
          row.text(2),
          row.text(3),
          state_of(row.text(4)),
          static_cast<int>(row.integer(5)),
          time_of(row.integer(6)),
          time_of(row.integer(7)),
          row.text(8)};
}

std::vector<Webhook> all(sqlite::Connection& connection) {
  auto query = connection.prepare("SELECT id, url, secret, events, active, created_at FROM webhook ORDER BY id");
  std::vector<Webhook> webhooks;
  while (query.step()) webhooks.push_back(webhook_of(query));
  return webhooks;
}

bool wants(const Webhook& webhook, std::string_view event) {
  return webhook.active && std::ranges::any_of(webhook.events, [&](const std::string& wanted) {
           return wanted == "*" || wanted == event;
         });
}

}  // namespace

Webhook SqliteWebhookStore::add(const Webhook& webhook) {
  Database::Write write(database_);
  write->prepare("INSERT INTO webhook (url, secret, events, active, created_at) VALUES (?1, ?2, ?3, ?4, ?5)")
      .bind(webhook.url, webhook.secret, joined(webhook.events), int{webhook.active}, microseconds(webhook.created_at))
      .run();
  Webhook added = webhook;
  added.id = write->last_row();
  write.commit();
  return added;
}

std::vector<Webhook> SqliteWebhookStore::webhooks() {
  Database::Read read(database_);
  return all(*read);
}

std::optional<Webhook> SqliteWebhookStore::update(std::int64_t webhook, const WebhookChange& change) {
  std::optional<std::string> events;
  if (change.events) events = joined(*change.events);
  std::optional<std::int64_t> active;
  if (change.active) active = int{*change.active};
  Database::Write write(database_);
  write
      ->prepare(
          "UPDATE webhook SET url = coalesce(?2, url), secret = coalesce(?3, secret), events = coalesce(?4, events), "
          "active = coalesce(?5, active) WHERE id = ?1")
      .bind(webhook, change.url, change.secret, events, active)
      .run();
  const auto webhooks = all(*write);
  write.commit();
  const auto found = std::ranges::find(webhooks, webhook, &Webhook::id);
  return found == webhooks.end() ? std::nullopt : std::optional(*found);
}

bool SqliteWebhookStore::remove(std::int64_t webhook) {
  Database::Write write(database_);
  write->prepare("DELETE FROM webhook WHERE id = ?1").bind(webhook).run();
  const bool removed = write->changes() == 1;
  write.commit();
  return removed;
}

std::int64_t SqliteWebhookStore::enqueue(std::string_view event, std::string_view payload,
                                         std::optional<PersonId> person, Time at) {
  Database::Write write(database_);
  std::int64_t enqueued = 0;
  for (const Webhook& webhook : all(*write)) {
    if (!wants(webhook, event)) continue;
    write
        ->prepare(
            "INSERT INTO delivery (webhook, event, payload, person, state, attempts, next_at, error, created_at) "
            "VALUES (?1, ?2, ?3, (SELECT id FROM person WHERE id = ?4), 'waiting', 0, ?5, '', ?5)")
        .bind(webhook.id, event, payload, person, microseconds(at))
        .run();
    ++enqueued;
  }
  write.commit();
  return enqueued;
}

std::vector<DueDelivery> SqliteWebhookStore::due(Time now, std::size_t limit) {
  Database::Read read(database_);
  auto query = read->prepare(
      "WITH ranked AS (SELECT delivery.*, row_number() OVER (PARTITION BY webhook ORDER BY next_at, id) AS place "
      "FROM delivery WHERE state = 'waiting' AND next_at <= ?1) "
      "SELECT ranked.id, webhook, event, payload, state, attempts, next_at, ranked.created_at, error, "
      "webhook.id, url, secret, events, active, webhook.created_at "
      "FROM ranked JOIN webhook ON webhook.id = ranked.webhook "
      "WHERE place <= ?2 AND active = 1 ORDER BY next_at, ranked.id");
  query.bind(microseconds(now), static_cast<std::int64_t>(limit));
  std::vector<DueDelivery> due;
  while (query.step()) due.push_back({delivery_of(query), webhook_of(query, 9)});
  return due;
}

std::optional<Time> SqliteWebhookStore::next_due() {
  Database::Read read(database_);
  auto query = read->prepare(
      "SELECT min(next_at) FROM delivery JOIN webhook ON webhook.id = delivery.webhook "
      "WHERE state = 'waiting' AND active = 1");
  return query.step() ? time_in(query, 0) : std::nullopt;
}

void SqliteWebhookStore::delivered(std::int64_t delivery, Time at) {
  Database::Write write(database_);
  write
      ->prepare(
          "UPDATE delivery SET state = 'delivered', attempts = attempts + 1, error = '', ended_at = ?2 WHERE id = ?1")
      .bind(delivery, microseconds(at))
      .run();
  write.commit();
}

void SqliteWebhookStore::failed(std::int64_t delivery, std::string_view error, std::optional<Time> next_at, Time at) {
  Database::Write write(database_);
  write
      ->prepare(
          "UPDATE delivery SET state = CASE WHEN ?3 IS NULL THEN 'given_up' ELSE 'waiting' END, "
          "attempts = attempts + 1, error = ?2, next_at = coalesce(?3, next_at), "
          "ended_at = CASE WHEN ?3 IS NULL THEN ?4 END WHERE id = ?1")
      .bind(delivery, error, microseconds(next_at), microseconds(at))
      .run();
  write.commit();
}

void SqliteWebhookStore::postpone(std::int64_t webhook, Time until) {
  Database::Write write(database_);
  write->prepare("UPDATE delivery SET next_at = ?2 WHERE webhook = ?1 AND state = 'waiting' AND next_at < ?2")
      .bind(webhook, microseconds(until))
      .run();
  write.commit();
}

std::vector<Delivery> SqliteWebhookStore::deliveries(std::int64_t webhook, std::size_t limit) {
  Database::Read read(database_);
  auto query = read->prepare(
      "SELECT id, webhook, event, payload, state, attempts, next_at, created_at, error FROM delivery "
      "WHERE webhook = ?1 ORDER BY id DESC LIMIT ?2");
  query.bind(webhook, static_cast<std::int64_t>(limit));
  std::vector<Delivery> deliveries;
  while (query.step()) deliveries.push_back(delivery_of(query));
  return deliveries;
}

std::int64_t SqliteWebhookStore::remove_ended_before(Time at) {
  Database::Write write(database_);
  write
      ->prepare(
          "DELETE FROM delivery WHERE (state <> 'waiting' AND ended_at < ?1) OR (state = 'waiting' AND created_at < "
          "?1)")
      .bind(microseconds(at))
      .run();
  const std::int64_t removed = write->changes();
  write.commit();
  return removed;
}

}  // namespace wajah::attendance
