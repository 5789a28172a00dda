// Office: everything /api/v1 works with, put together over one data folder: the stores, the attendance book, the
// backend of the routes, and the thread that delivers webhooks.
#pragma once

#include "attendance/records/attendance_book.hpp"
#include "attendance/records/sqlite_record_store.hpp"
#include "attendance/storage/database.hpp"
#include "attendance/storage/secret.hpp"
#include "attendance/storage/sqlite_audit_log.hpp"
#include "attendance/storage/sqlite_consent_store.hpp"
#include "attendance/storage/sqlite_job_store.hpp"
#include "attendance/storage/sqlite_key_store.hpp"
#include "attendance/storage/sqlite_people_store.hpp"
#include "attendance/storage/sqlite_webhook_store.hpp"
#include "server/api/backend.hpp"
#include "server/api/retention_worker.hpp"
#include "server/api/webhook_worker.hpp"

namespace wajah::server {

struct OfficeOptions {
  attendance::BookOptions book;
  BackendOptions backend;
  WebhookWorker::Options webhooks;
  RetentionWorker::Options retention;
};

class Office {
 public:
  // Database, store, service and engine outlive it.
  Office(attendance::Database& database, attendance::Store& store, attendance::Service& service,
         attendance::Engine& engine, const attendance::Secret& secret, OfficeOptions options);

  [[nodiscard]] Backend& backend() { return backend_; }
  [[nodiscard]] attendance::KeyStore& keys() { return keys_; }
  // What the retention worker does, for those who cannot wait for it.
  [[nodiscard]] attendance::Retention retention(const attendance::RetentionRules& rules);
  [[nodiscard]] attendance::AttendanceBook& book() { return book_; }

 private:
  attendance::Secret secret_;
  attendance::SqlitePeopleStore people_;
  attendance::SqliteRecordStore records_;
  attendance::SqliteKeyStore keys_;
  attendance::SqliteAuditLog audit_;
  attendance::SqliteWebhookStore webhooks_;
  attendance::SqliteConsentStore consents_;
  attendance::SqliteJobStore jobs_;
  attendance::AttendanceBook book_;
  Backend backend_;
  WebhookWorker worker_;
  RetentionWorker retention_;
};

}  // namespace wajah::server
