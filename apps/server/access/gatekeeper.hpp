// Gatekeeper: finds out who asks, before a request's body is read. It knows keys, sessions of logged-in people, and
// this machine itself; what each may do is written in the route table and checked there.
#pragma once

#include "attendance/storage/account_store.hpp"
#include "attendance/storage/audit_log.hpp"
#include "attendance/storage/key_store.hpp"
#include "server/access/attempts.hpp"
#include "server/access/origin.hpp"
#include "server/reply.hpp"
#include "server/route.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wajah::server {

struct GateOptions {
  bool required = false;        // ask programs on this machine for a key as well
  bool original_open = false;   // /upload, /recognize and /hapus need none
  bool metrics_open = false;    // nor does /metrics
  bool secure_cookies = false;  // clients speak TLS, to us or to a proxy
  std::vector<std::string> proxies;
  std::size_t failures_per_minute = 10;
  std::chrono::seconds session_length = std::chrono::hours(12);
  std::function<attendance::Time()> now = std::chrono::system_clock::now;
  std::function<Attempts::Clock::time_point()> ticks = Attempts::Clock::now;
  // What the audit log is to keep; called on network threads, so it must not write there and then.
  std::function<void(attendance::AuditEvent)> audit = [](const attendance::AuditEvent&) {};
};

// A session that has just begun.
struct LoggedIn {
  attendance::Account account;
  attendance::OpenedSession session;
};

class Gatekeeper {
 public:
  // The stores outlive it.
  Gatekeeper(attendance::KeyStore& keys, attendance::AccountStore& accounts, GateOptions options);

  // For Site::authenticate: the caller, who may be nobody known, or the reply that turns them away: 401 to a key that
  // does not hold, 403 to a page's request without its token, 429 after too many wrong keys.
  [[nodiscard]] std::variant<Caller, Reply> admit(const Request& request, const Route& route);

  // Blocks for tens of milliseconds. Throws Problem: key_invalid if name and password do not fit, too_many_requests.
  [[nodiscard]] LoggedIn log_in(const Request& request, std::string_view name, std::string_view password);
  void log_out(const Request& request);

  // The session that the request's cookie names, if it is in force.
  [[nodiscard]] std::optional<attendance::Session> session_of(const Request& request);

  // Set-Cookie for a session, and to end one.
  [[nodiscard]] std::string cookie_of(const attendance::OpenedSession& session) const;
  [[nodiscard]] std::string no_cookie() const;

  // An audit row of what the request's caller did.
  void note(const Request& request, std::string_view action, std::string_view subject) const;

  [[nodiscard]] attendance::AccountStore& accounts() { return accounts_; }

 private:
  [[nodiscard]] std::variant<Caller, Reply> admit_key(std::string_view key, const Origin& origin,
                                                      const Request& request, const Route& route);
  [[nodiscard]] std::variant<Caller, Reply> admit_session(const attendance::Session& session, const Request& request,
                                                          const Route& route) const;
  [[nodiscard]] Caller admit_stranger(const Origin& origin, const Route& route) const;
  void note_failure(const Origin& origin, std::string_view action, std::string_view subject);

  attendance::KeyStore& keys_;
  attendance::AccountStore& accounts_;
  GateOptions options_;
  Attempts attempts_;
};

}  // namespace wajah::server
