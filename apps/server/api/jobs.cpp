#include "server/api/jobs.hpp"

#include "server/api/values.hpp"
#include "server/json.hpp"
#include "server/problem.hpp"

#include <wajah/error.hpp>

#include <fmt/format.h>
#include <boost/json/parse.hpp>

#include <exception>
#include <utility>

namespace wajah::server {
namespace json = boost::json;
using attendance::JobRecord;
using attendance::JobState;

JobRunner::JobRunner(attendance::JobStore& store, Feed& feed, std::string zone, Now now, Warn warn)
    : store_(store), feed_(feed), zone_(std::move(zone)), now_(std::move(now)), warn_(std::move(warn)) {
  store_.fail_unfinished(R"({"error":"the server was restarted before it was done"})", now_());
  thread_ = std::thread([this] { serve(); });
}

JobRecord JobRunner::start(std::string_view kind, std::int64_t total, Work work) {
  take_place();
  JobRecord job;
  try {
    job = store_.create(kind, total, now_());
  } catch (...) {
    const std::lock_guard lock(mutex_);
    --places_;
    throw;
  }
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({job, std::move(work)});
  }
  changed_.notify_one();
  return job;
}

// Held until the job begins: what waits may keep a file of a gigabyte.
void JobRunner::take_place() {
  const std::lock_guard lock(mutex_);
  if (places_ == most_waiting) {
    throw Problem("busy", fmt::format("{} jobs are waiting already; GET /api/v1/jobs shows them.", places_));
  }
  ++places_;
}

void JobRunner::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool JobRunner::stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void JobRunner::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    --places_;
    lock.unlock();
    run(std::move(next));
    lock.lock();
  }
}

void JobRunner::run(Waiting waiting) {
  auto& job = waiting.job;
  job.state = JobState::running;
  save(job);
  try {
    const auto result = waiting.work([&](std::int64_t done, std::int64_t total) {
      job.done = done;
      job.total = total;
      save(job);
    });
    job.state = JobState::done;
    job.done = job.total;
    job.result = to_text(result);
  } catch (const Error& error) {
    job.state = JobState::failed;
    job.result = to_text(json::object{{"error", error.what()}});
  } catch (const std::exception& fault) {
    warn_(fmt::format("job {}: {}", job.id, fault.what()));
    job.state = JobState::failed;
    job.result = R"({"error":"a fault of the server; its log says more"})";
  }
  waiting.work = nullptr;  // with whatever it held: whoever hears of the end finds nothing left
  save(job);
}

void JobRunner::save(JobRecord& job) {
  job.updated_at = now_();
  try {
    store_.save(job);
  } catch (const Error& error) {
    warn_(error.what());  // the work goes on; its end is saved again
  }
  feed_.publish(job_event, to_text(job_json(job, zone_)));
}

std::string_view name_of(JobState state) {
  switch (state) {
    case JobState::queued: return "queued";
    case JobState::running: return "running";
    case JobState::done: return "done";
    case JobState::failed: return "failed";
    case JobState::cancelled: return "cancelled";
  }
  return "queued";
}

json::object job_json(const JobRecord& job, std::string_view zone) {
  return {{"id", id_text('j', job.id)},
          {"kind", job.kind},
          {"state", name_of(job.state)},
          {"done", job.done},
          {"total", job.total},
          {"result", json::parse(job.result)},
          {"created_at", rfc3339(job.created_at, zone)},
          {"updated_at", rfc3339(job.updated_at, zone)}};
}

}  // namespace wajah::server
