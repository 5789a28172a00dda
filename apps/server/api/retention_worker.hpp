// RetentionWorker: one thread that erases, when the server starts and every few hours, what was kept long enough.
#pragma once

#include "attendance/retention.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <thread>

namespace wajah::server {

class RetentionWorker {
 public:
  struct Options {
    attendance::RetentionRules rules;
    std::chrono::milliseconds first{10'000};  // after the start, so that it delays nobody's
    std::chrono::milliseconds interval = std::chrono::hours(6);
    std::function<attendance::Time()> now = std::chrono::system_clock::now;
    std::function<void(const std::string&)> warn = [](const std::string&) {};
  };

  RetentionWorker(attendance::Retention retention, Options options);

 private:
  void serve(const std::stop_token& stop);

  attendance::Retention retention_;
  Options options_;
  std::jthread thread_;
};

}  // namespace wajah::server
