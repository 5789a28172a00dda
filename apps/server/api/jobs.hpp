// JobRunner: one thread that does long work in turn and tells how far it is. A job that was not done when the server
// ended is told as failed at the next start.
#pragma once

#include "attendance/storage/job_store.hpp"
#include "server/api/feed.hpp"

#include <boost/json/object.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace wajah::server {

class JobRunner {
 public:
  using Now = std::function<attendance::Time()>;
  using Warn = std::function<void(const std::string&)>;
  using Progress = std::function<void(std::int64_t done, std::int64_t total)>;
  // Does the work and returns its result; what it throws becomes the job's failure.
  using Work = std::function<boost::json::object(const Progress&)>;

  static constexpr std::size_t most_waiting = 16;

  // `zone`: IANA name, of the times in the feed.
  JobRunner(attendance::JobStore& store, Feed& feed, std::string zone, Now now, Warn warn);
  ~JobRunner() { stop(); }
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;
  JobRunner(JobRunner&&) = delete;
  JobRunner& operator=(JobRunner&&) = delete;

  // Throws Problem (busy) while `most_waiting` jobs wait.
  attendance::JobRecord start(std::string_view kind, std::int64_t total, Work work);
  void stop();  // drops what has not begun and waits for the rest

  [[nodiscard]] bool stopping();  // for work that takes long

  [[nodiscard]] attendance::JobStore& store() { return store_; }

 private:
  struct Waiting {
    attendance::JobRecord job;
    Work work;
  };

  void take_place();
  void serve();
  void run(Waiting waiting);
  void save(attendance::JobRecord& job);

  attendance::JobStore& store_;
  Feed& feed_;
  std::string zone_;
  Now now_;
  Warn warn_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;
  std::size_t places_ = 0;  // of those that wait or are about to
  bool stopping_ = false;
  std::thread thread_;
};

[[nodiscard]] std::string_view name_of(attendance::JobState state);
[[nodiscard]] boost::json::object job_json(const attendance::JobRecord& job, std::string_view zone);

// Events of the live feed about jobs, whose data is job_json(): each step, and the end of that job.
inline constexpr std::string_view job_event = "job.progress";

}  // namespace wajah::server
