// Supervisor: tells systemd that the service is ready, is stopping, and still answers (sd_notify(3): one datagram to
// the socket that NOTIFY_SOCKET names; too small a thing for a library). Where nobody supervises it does nothing.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace wajah::server {

class Supervisor {
 public:
  // Reads NOTIFY_SOCKET and WATCHDOG_USEC. `answers` is asked, on a thread of its own, whether the server still does:
  // while it says no, or does not return, the watchdog is not told and systemd starts the service anew.
  explicit Supervisor(std::function<bool()> answers);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  Supervisor(Supervisor&&) = delete;
  Supervisor& operator=(Supervisor&&) = delete;

  void ready(std::string_view status);  // from now on the watchdog counts
  void stopping();

 private:
  void tell(std::string_view message) const;
  void watch(const std::stop_token& stop) const;

  std::string socket_;
  std::optional<std::chrono::microseconds> watchdog_;
  std::function<bool()> answers_;
  std::jthread watcher_;
};

}  // namespace wajah::server
