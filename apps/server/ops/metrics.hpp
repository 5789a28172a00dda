// Metrics: what the server has done and how it is, as Prometheus reads it (text format 0.0.4). The counting is
// prometheus-cpp's core; its own web server is not used. Any number of threads.
#pragma once

#include "server/http_options.hpp"

#include <wajah/card_watch.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace wajah::server {

// What is looked up when somebody asks.
struct ServerState {
  bool ready = false, draining = false;
  std::size_t connections = 0;
  std::map<std::string, std::size_t> waiting;  // by queue: "recognise", "engine_enrol"
  std::size_t engine_running = 0;
  std::int64_t people = 0, photos = 0;
  std::optional<CardReport> card;  // nothing: no card is used
  std::optional<double> certificate_seconds_left;
};

struct BuildInfo {
  std::string version, model, device;
};

class Metrics {
 public:
  explicit Metrics(const BuildInfo& info);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  Metrics(Metrics&&) = delete;
  Metrics& operator=(Metrics&&) = delete;

  void request(const AccessLine& line);
  void pass(std::string_view purpose, std::size_t pictures, std::size_t faces);  // of the embedding network
  void refused(std::string_view why);                                            // "auth.key_refused"
  void warned();

  [[nodiscard]] std::string text(const ServerState& state);

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace wajah::server
