#include "server/ops/supervisor.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <mutex>
#include <utility>

namespace wajah::server {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here writes the environment
  return value ? value : "";
}

// WATCHDOG_PID names the process that is meant, where it is set.
std::optional<std::chrono::microseconds> watchdog_interval() {
  const auto text = environment("WATCHDOG_USEC"), pid = environment("WATCHDOG_PID");
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  if (value <= 0 || (!pid.empty() && pid != std::to_string(::getpid()))) return std::nullopt;
  return std::chrono::microseconds(value);
}

}  // namespace

Supervisor::Supervisor(std::function<bool()> answers)
    : socket_(environment("NOTIFY_SOCKET")), watchdog_(watchdog_interval()), answers_(std::move(answers)) {}

Supervisor::~Supervisor() = default;

void Supervisor::ready(std::string_view status) {
  tell(fmt::format("READY=1\nSTATUS={}", status));
  if (watchdog_ && !socket_.empty() && !watcher_.joinable()) {
    watcher_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
  }
}

void Supervisor::stopping() { tell("STOPPING=1\nSTATUS=answering what has begun"); }

void Supervisor::tell(std::string_view message) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
  std::copy(socket_.begin(), socket_.end(), address.sun_path);
  if (socket_.front() == '@') address.sun_path[0] = '\0';  // an abstract socket
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  ::sendto(descriptor, message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), size);
  ::close(descriptor);
}

void Supervisor::watch(const std::stop_token& stop) const {
  std::mutex mutex;
  std::condition_variable_any waiting;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    if (answers_()) tell("WATCHDOG=1");
    // Half the interval, as sd_watchdog_enabled(3) advises.
    waiting.wait_for(lock, stop, *watchdog_ / 2, [] { return false; });
  }
}

}  // namespace wajah::server
