#include "server/access/front_desk.hpp"

#include <wajah/error.hpp>

#include <fmt/format.h>

#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <utility>

namespace wajah::server {
namespace {

constexpr std::size_t most_waiting = 1024;
// Of strangers' failures, which anybody can cause in any number: what people with a name did keeps the rest.
constexpr std::size_t most_failures_waiting = 512;

}  // namespace

FrontDesk::FrontDesk(attendance::Database& database, const std::filesystem::path& data, const Settings& settings,
                     Listeners listeners)
    : listeners_(std::move(listeners)),
      secret_(attendance::server_secret(data)),
      keys_(database, secret_),
      accounts_(database, secret_),
      audit_(database),
      gatekeeper_(keys_, accounts_, options_of(settings)),
      writer_(1, most_waiting) {
  if (const auto issued = keys_.issue_first(std::chrono::system_clock::now())) first_key_ = issued->text;
}

FrontDesk::~FrontDesk() {
  const auto last = std::make_shared<std::promise<void>>();
  while (!writer_.post([last] { last->set_value(); })) std::this_thread::yield();
  last->get_future().wait();
}

GateOptions FrontDesk::options_of(const Settings& settings) {
  GateOptions options;
  options.required = settings.auth.required;
  options.original_open = settings.auth.original_routes == "open";
  options.metrics_open = settings.metrics.open;
  options.secure_cookies = settings.tls.mode != "off" || settings.server.behind_proxy;
  options.proxies = settings.server.trusted_proxies;
  options.failures_per_minute = static_cast<std::size_t>(settings.auth.failures_per_minute);
  options.session_length = std::chrono::hours(settings.auth.session_hours);
  options.audit = [this](attendance::AuditEvent event) { record(std::move(event)); };
  return options;
}

void FrontDesk::record(attendance::AuditEvent event) {
  if (listeners_.happened) listeners_.happened(event.action);
  const auto action = event.action;
  const bool has_room = event.actor != "anonymous" || writer_.waiting() < most_failures_waiting;
  const bool taken = has_room && writer_.post([this, event = std::move(event)] {
    try {
      (void)audit_.append(event);
    } catch (const Error& error) {
      listeners_.warn(fmt::format("audit row {} was not written: {}", event.action, error.what()));
    }
  });
  if (!taken) listeners_.warn(fmt::format("audit row {} was not written: too many wait", action));
}

void FrontDesk::upkeep() {
  accounts_.remove_expired_sessions(std::chrono::system_clock::now());
  keys_.flush_uses();
}

}  // namespace wajah::server
