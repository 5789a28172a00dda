#include "attendance/storage/migrations.hpp"

namespace wajah::attendance::migration {

void webhooks_and_jobs(sqlite::Connection& writer) {
  writer.execute(R"(
    CREATE TABLE webhook (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      url TEXT NOT NULL,
      secret TEXT NOT NULL,
      events TEXT NOT NULL,
      active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
      created_at INTEGER NOT NULL);
    CREATE TABLE delivery (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      webhook INTEGER NOT NULL REFERENCES webhook(id) ON DELETE CASCADE,
      event TEXT NOT NULL,
      payload TEXT NOT NULL,
      person INTEGER REFERENCES person(id) ON DELETE CASCADE,
      state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'given_up')),
      attempts INTEGER NOT NULL,
      next_at INTEGER NOT NULL,
      error TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      ended_at INTEGER);
    CREATE INDEX delivery_due ON delivery(state, next_at);
    CREATE INDEX delivery_webhook ON delivery(webhook);
    CREATE INDEX delivery_person ON delivery(person);
    CREATE TABLE job (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      kind TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
      done INTEGER NOT NULL,
      total INTEGER NOT NULL,
      result TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL);
    CREATE INDEX job_state ON job(state))");
}

}  // namespace wajah::attendance::migration
