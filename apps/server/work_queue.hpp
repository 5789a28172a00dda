// WorkQueue: threads that run what may block, behind a bounded queue: when it is full the answer is "busy" at once,
// because a queue that grows turns a rush into an outage.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace wajah::server {

class WorkQueue {
 public:
  // At most `capacity` jobs wait besides those running. threads >= 1.
  WorkQueue(std::size_t threads, std::size_t capacity);
  ~WorkQueue();  // drops what has not begun and waits for the rest
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;
  WorkQueue(WorkQueue&&) = delete;
  WorkQueue& operator=(WorkQueue&&) = delete;

  // False, and nothing queued, if the queue is full. `job` must not throw.
  [[nodiscard]] bool post(std::function<void()> job);

  // Whether post() would say no now.
  [[nodiscard]] bool full() const;

  // Jobs that no thread has taken yet.
  [[nodiscard]] std::size_t waiting() const;

 private:
  void serve();

  std::size_t capacity_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace wajah::server
