// Attempts: how often an address has shown something wrong lately. Any number of threads.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace wajah::server {

class Attempts {
 public:
  using Clock = std::chrono::steady_clock;

  // `most` failures are forgiven in a minute.
  explicit Attempts(std::size_t most) : most_(most) {}

  // Notes a failure. False if it was one too many.
  bool fail(std::string_view address, Clock::time_point now);

  // How long the address must wait; zero: it may try.
  [[nodiscard]] std::chrono::seconds wait(std::string_view address, Clock::time_point now) const;

  // A peer with IPv6 has 2^64 addresses to try from: they count as one.
  [[nodiscard]] static std::string group_of(std::string_view address);

 private:
  struct Window {
    Clock::time_point begin;
    std::size_t failures = 0;
  };

  void forget_old(Clock::time_point now);

  std::size_t most_;
  mutable std::mutex mutex_;  // guards all below
  std::unordered_map<std::string, Window> windows_;
};

}  // namespace wajah::server
