#include "server/api/retention_worker.hpp"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <utility>

namespace wajah::server {

RetentionWorker::RetentionWorker(attendance::Retention retention, Options options)
    : retention_(std::move(retention)), options_(std::move(options)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

void RetentionWorker::serve(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any waiting;
  std::unique_lock lock(mutex);
  for (auto pause = options_.first; !stop.stop_requested(); pause = options_.interval) {
    waiting.wait_for(lock, stop, pause, [] { return false; });
    if (stop.stop_requested()) return;
    try {
      retention_.run(options_.now());
    } catch (const std::exception& error) {
      options_.warn(error.what());
    }
  }
}

}  // namespace wajah::server
