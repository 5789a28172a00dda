// Site: what the routes answer from. The seam between HTTP and everything behind it; tests put a fake Api here.
#pragma once

#include "attendance/service.hpp"
#include "server/build_facts.hpp"
#include "server/caller.hpp"
#include "server/compat.hpp"
#include "server/ops/health.hpp"

#include <atomic>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace wajah::server {

struct Backend;
class Gatekeeper;
struct Reply;
struct Request;
struct Route;

// The operations the routes translate to; each blocks and throws as attendance::Service does.
class Api {
 public:
  virtual ~Api() = default;
  // Returns when it is stored; wait_for(), when it counts in recognition.
  virtual attendance::UploadResult upload(std::string_view nik, std::string_view name,
                                          std::span<const attendance::File> files) = 0;
  virtual void wait_for(attendance::UploadResult& uploaded) = 0;
  virtual attendance::RecogniseResult recognise(std::string_view nik_input, attendance::Bytes picture) = 0;
  virtual attendance::RemoveResult remove(std::string_view nik, std::string_view name) = 0;
};

struct SiteInfo {
  std::string version;  // of wajah
  std::string model;    // id of the embedder; empty without one
  std::string device;   // "cpu/avx2"; what was chosen at the start
};

struct Site {
  Api* api = nullptr;   // null: started without models
  Backend* backend = nullptr;  // of /api/v1; null: as api
  std::string without;  // then: the sentence that says how to get them
  SiteInfo info;
  Compat compat;
  std::atomic<bool> draining{false};
  // Who asks, from the request's header, or the reply that turns them away. Called on a network thread before the body
  // is read, so it must not block for long. Whether the caller may use the route is checked afterwards.
  std::function<std::variant<Caller, Reply>(const Request&, const Route&)> authenticate;  // none: everybody is trusted
  Gatekeeper* gatekeeper = nullptr;  // of the log-in routes; null: there are no accounts
  std::function<Health()> health;    // the latest finding; none: ready as long as there is an api
  std::function<std::string()> metrics;  // Prometheus text; none: /metrics is off
  // Told of faults that clients are not told about; called from any thread.
  std::function<void(const std::string&)> warn = [](const std::string&) {};
  std::function<std::string()> computes_on;  // the device at this moment; none: always info.device
  [[nodiscard]] std::string device() const { return computes_on ? computes_on() : info.device; }
  BuildFacts build;  // for /version
};

}  // namespace wajah::server
