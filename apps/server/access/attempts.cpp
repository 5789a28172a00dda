#include "server/access/attempts.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>

namespace wajah::server {
namespace {

constexpr std::chrono::seconds window_length{60};

// Beyond so many addresses the oldest windows are dropped: an attacker must not fill our memory either.
constexpr std::size_t most_windows = 10'000;

}  // namespace

std::string Attempts::group_of(std::string_view address) {
  boost::system::error_code error;
  const auto parsed = boost::asio::ip::make_address(std::string(address), error);
  if (error || !parsed.is_v6()) return std::string(address);
  auto bytes = parsed.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return boost::asio::ip::address_v6(bytes).to_string();
}

bool Attempts::fail(std::string_view address, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (windows_.size() >= most_windows) forget_old(now);
  auto& window = windows_[group_of(address)];
  if (now - window.begin >= window_length) window = {now, 0};
  return ++window.failures <= most_;
}

std::chrono::seconds Attempts::wait(std::string_view address, Clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  const auto found = windows_.find(group_of(address));
  if (found == windows_.end() || found->second.failures < most_) return std::chrono::seconds(0);
  const auto left = std::chrono::ceil<std::chrono::seconds>(window_length - (now - found->second.begin));
  return std::max(left, std::chrono::seconds(0));
}

void Attempts::forget_old(Clock::time_point now) {
  std::erase_if(windows_, [&](const auto& entry) { return now - entry.second.begin >= window_length; });
  if (windows_.size() >= most_windows) windows_.clear();
}

}  // namespace wajah::server
