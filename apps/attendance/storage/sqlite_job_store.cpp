#include "attendance/storage/sqlite_job_store.hpp"

#include "attendance/storage/sql_values.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace wajah::attendance {
namespace {

constexpr std::array<std::string_view, 5> state_names{"queued", "running", "done", "failed", "cancelled"};

std::string_view name_of(JobState state) { return state_names.at(static_cast<std::size_t>(state)); }

JobState state_of(std::string_view name) {
  return static_cast<JobState>(std::distance(state_names.begin(), std::ranges::find(state_names, name)));
}

// Columns id, kind, state, done, total, result, created_at, updated_at.
JobRecord job_of(const sqlite::Statement& row) {
  return {row.integer(0), row.text(1), state_of(row.text(2)),   row.integer(3),
          row.integer(4), row.text(5), time_of(row.integer(6)), time_of(row.integer(7))};
}

}  // namespace

JobRecord SqliteJobStore::create(std::string_view kind, std::int64_t total, Time at) {
  JobRecord job{0, std::string(kind), JobState::queued, 0, total, "{}", at, at};
  Database::Write write(database_);
  write
      ->prepare(
          "INSERT INTO job (kind, state, done, total, result, created_at, updated_at) "
          "VALUES (?1, ?2, 0, ?3, ?4, ?5, ?5)")
      .bind(kind, name_of(job.state), total, job.result, microseconds(at))
      .run();
  job.id = write->last_row();
  write.commit();
  return job;
}

std::optional<JobRecord> SqliteJobStore::job(std::int64_t job) {
  Database::Read read(database_);
  auto query =
      read->prepare("SELECT id, kind, state, done, total, result, created_at, updated_at FROM job WHERE id = ?1");
  if (!query.bind(job).step()) return std::nullopt;
  return job_of(query);
}

std::vector<JobRecord> SqliteJobStore::jobs(std::size_t limit) {
  Database::Read read(database_);
  auto query = read->prepare(
      "SELECT id, kind, state, done, total, result, created_at, updated_at FROM job ORDER BY id DESC LIMIT ?1");
  query.bind(static_cast<std::int64_t>(limit));
  std::vector<JobRecord> jobs;
  while (query.step()) jobs.push_back(job_of(query));
  return jobs;
}

bool SqliteJobStore::save(const JobRecord& job) {
  Database::Write write(database_);
  write->prepare("UPDATE job SET state = ?2, done = ?3, total = ?4, result = ?5, updated_at = ?6 WHERE id = ?1")
      .bind(job.id, name_of(job.state), job.done, job.total, job.result, microseconds(job.updated_at))
      .run();
  const bool saved = write->changes() == 1;
  write.commit();
  return saved;
}

std::int64_t SqliteJobStore::fail_unfinished(std::string_view result, Time at) {
  Database::Write write(database_);
  write->prepare("UPDATE job SET state = 'failed', result = ?1, updated_at = ?2 WHERE state IN ('queued', 'running')")
      .bind(result, microseconds(at))
      .run();
  const std::int64_t failed = write->changes();
  write.commit();
  return failed;
}

std::int64_t SqliteJobStore::remove_ended_before(Time at) {
  Database::Write write(database_);
  write->prepare("DELETE FROM job WHERE state NOT IN ('queued', 'running') AND updated_at < ?1")
      .bind(microseconds(at))
      .run();
  const std::int64_t removed = write->changes();
  write.commit();
  return removed;
}

}  // namespace wajah::attendance
