#include "attendance/storage/sqlite_job_store.hpp"

#include "attendance/storage/sql_values.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <utility>
#include <vector>

namespace wajah::attendance {
namespace {

namespace json = boost::json;

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

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// As a word of its own: a short NIK stands within many a number.
bool mentions(std::string_view text, std::string_view word) {
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const auto end = at + word.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]))) return true;
  }
  return false;
}

bool mentions(const json::value& value, const Person& person) {
  if (const auto* text = value.if_string()) return mentions(*text, person.nik) || mentions(*text, person.name);
  const auto of_person = [&](const json::value& part) { return mentions(part, person); };
  if (const auto* array = value.if_array()) return std::ranges::any_of(*array, of_person);
  const auto* object = value.if_object();
  return object && std::ranges::any_of(*object, [&](const auto& member) { return of_person(member.value()); });
}

// Without the entries of its lists that tell of the person, and without sentences that do.
std::string without(const std::string& result, const Person& person) {
  boost::system::error_code broken;
  json::value value = json::parse(result, broken);
  if (broken || !value.is_object()) return "{}";
  for (auto& member : value.as_object()) {
    json::value& part = member.value();
    if (part.is_string() && mentions(part, person)) part = "told of a person who was erased";
    if (auto* list = part.if_array()) {
      json::array kept;
      for (json::value& entry : *list) {
        if (!mentions(entry, person)) kept.push_back(std::move(entry));
      }
      *list = std::move(kept);
    }
  }
  return json::serialize(value);
}

}  // namespace

void forget_in_jobs(sqlite::Connection& writer, PersonId person) {
  std::vector<std::pair<std::int64_t, std::string>> jobs;
  {
    auto query = writer.prepare(
        "SELECT job.id, result, person.id, nik, name FROM job JOIN person ON person.id = ?1 "
        "WHERE instr(result, nik) > 0 OR instr(result, name) > 0");
    query.bind(person);
    while (query.step()) jobs.emplace_back(query.integer(0), without(query.text(1), person_of(query, 2)));
  }
  for (const auto& [job, result] : jobs) {
    writer.prepare("UPDATE job SET result = ?2 WHERE id = ?1").bind(job, result).run();
  }
}

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
