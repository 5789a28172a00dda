#include "server/ops/health.hpp"

#include <condition_variable>
#include <exception>
#include <utility>

namespace wajah::server {

HealthMonitor::HealthMonitor(std::function<Health()> probe, std::chrono::seconds interval) : probe_(std::move(probe)) {
  look();
  thread_ = std::jthread([this, interval](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any waiting;
    std::unique_lock lock(mutex);
    while (!waiting.wait_for(lock, stop, interval, [] { return false; }) && !stop.stop_requested()) look();
  });
}

HealthMonitor::~HealthMonitor() = default;

Health HealthMonitor::now() const {
  const std::lock_guard lock(mutex_);
  return latest_;
}

void HealthMonitor::look() {
  Health found;
  try {
    found = probe_();
  } catch (const std::exception& error) {
    found = {false, error.what(), {}};
  }
  const std::lock_guard lock(mutex_);
  latest_ = std::move(found);
}

}  // namespace wajah::server
