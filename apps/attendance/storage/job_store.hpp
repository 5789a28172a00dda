// JobStore: long work that clients ask after, kept so that they also learn its end when the server restarted meanwhile.
#pragma once

#include "attendance/store.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::attendance {

enum class JobState { queued, running, done, failed, cancelled };

struct JobRecord {
  std::int64_t id = 0;
  std::string kind;
  JobState state = JobState::queued;
  std::int64_t done = 0, total = 0;
  std::string result = "{}";  // a JSON object: what came of it, or what went wrong
  Time created_at, updated_at;
};

class JobStore {
 public:
  virtual ~JobStore() = default;

  virtual JobRecord create(std::string_view kind, std::int64_t total, Time at) = 0;
  [[nodiscard]] virtual std::optional<JobRecord> job(std::int64_t job) = 0;
  [[nodiscard]] virtual std::vector<JobRecord> jobs(std::size_t limit) = 0;  // newest first
  // Writes state, done, total, result and updated_at. False if there is no such job.
  virtual bool save(const JobRecord& job) = 0;

  // Jobs that were queued or running when the server ended become failed with that result; returns how many.
  virtual std::int64_t fail_unfinished(std::string_view result, Time at) = 0;
  virtual std::int64_t remove_ended_before(Time at) = 0;
};

}  // namespace wajah::attendance
