// Health: whether recognition works, found out by doing one, now and then; requests get the latest finding at once.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace wajah::server {

struct Health {
  bool ready = true;
  std::string reason;                 // if not ready: a sentence
  std::vector<std::string> degraded;  // it works, but somebody should look at these
};

class HealthMonitor {
 public:
  // Probes once before it returns, then every `interval` on a thread of its own. What `probe` throws is a reason.
  HealthMonitor(std::function<Health()> probe, std::chrono::seconds interval);
  ~HealthMonitor();
  HealthMonitor(const HealthMonitor&) = delete;
  HealthMonitor& operator=(const HealthMonitor&) = delete;
  HealthMonitor(HealthMonitor&&) = delete;
  HealthMonitor& operator=(HealthMonitor&&) = delete;

  [[nodiscard]] Health now() const;

 private:
  void look();

  std::function<Health()> probe_;
  mutable std::mutex mutex_;  // guards latest_
  Health latest_;
  std::jthread thread_;
};

}  // namespace wajah::server
