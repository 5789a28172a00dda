// Backend: what the handlers of /api/v1 work with. Everything outlives it.
#pragma once

#include "attendance/engine.hpp"
#include "attendance/records/attendance_book.hpp"
#include "attendance/service.hpp"
#include "attendance/storage/audit_log.hpp"
#include "attendance/storage/consent_store.hpp"
#include "attendance/storage/database.hpp"
#include "attendance/storage/key_store.hpp"
#include "attendance/storage/people_store.hpp"
#include "attendance/storage/webhook_store.hpp"
#include "server/api/cursor.hpp"
#include "server/api/feed.hpp"
#include "server/api/idempotency.hpp"
#include "server/api/jobs.hpp"
#include "server/api/person_files.hpp"
#include "server/compat.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::server {

struct BackendParts {
  attendance::Database& database;
  attendance::Store& store;
  attendance::Service& service;
  attendance::Engine& engine;
  attendance::PeopleStore& people;
  attendance::AttendanceBook& book;
  attendance::RecordStore& records;
  attendance::KeyStore& keys;
  attendance::AuditLog& audit;
  attendance::WebhookStore& webhooks;
  attendance::ConsentStore& consents;
  attendance::JobStore& jobs;
  const attendance::Secret& secret;  // signs cursors
};

// Of the embedder in use, as its card tells.
struct ModelFacts {
  std::string id, licence, about;
  std::int64_t dimension = 0;
};

struct BackendOptions {
  ModelFacts model;
  bool require_consent = false;  // nobody is enrolled on /api/v1 without a consent in force
  std::filesystem::path temporary_folder = std::filesystem::temp_directory_path();  // for files while they are made
  std::filesystem::path key_file;                                                   // of sealed templates
  Compat compat;
  std::chrono::milliseconds deadline{10'000};  // of looking at one request's pictures
  std::function<attendance::Time()> now = std::chrono::system_clock::now;
  std::function<void(const std::string&)> warn = [](const std::string&) {};
};

struct Backend : BackendParts {
  Backend(const BackendParts& parts, BackendOptions given);
  ~Backend();  // ends the feed and the jobs
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  Backend(Backend&&) = delete;
  Backend& operator=(Backend&&) = delete;

  BackendOptions options;
  CursorSigner cursors;
  ReplyMemory replies;
  Feed feed;
  PersonFiles files;
  JobRunner job_runner;

  // Recognition goes by it when this returns, also if the training that follows fails or is late: then only the
  // server's log is told, because whoever heard of a failure would do again what is done.
  void stop_matching(attendance::PersonId person);

  // Takes somebody who is gone from the database out of recognition, files and kept answers; `erased`: without a trace
  // of their NIK. Returns what could not be removed (PersonFiles::gone).
  std::vector<std::string> depart(const attendance::Person& person, bool erased);

  // Tells the live feed and every webhook that wants it.
  void announce(std::string_view event, const boost::json::object& data,
                std::optional<attendance::PersonId> person = std::nullopt);
};

}  // namespace wajah::server
