// What an Application is made of. Internal to application*.cpp.
#pragma once

#include "attendance/data_folder.hpp"
#include "attendance/sqlite_store.hpp"
#include "server/access/front_desk.hpp"
#include "server/access/tls.hpp"
#include "server/api/office.hpp"
#include "server/application.hpp"
#include "server/http_server.hpp"
#include "server/ops/health.hpp"
#include "server/ops/log.hpp"
#include "server/ops/metrics.hpp"
#include "server/ops/supervisor.hpp"
#include "server/site.hpp"

#include <wajah/card_watch.hpp>
#include <wajah/recognizer.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wajah::server {

inline constexpr std::string_view how_to_get_weights =
    "no weights: run `wajah models fetch`, or start with --weights FILE and --mtcnn FILE";

// "cpu/avx512"
[[nodiscard]] std::string name_of_cpu(const ApplicationOptions& options);

// Destroyed from the last to the first: first nobody asks any more, then nothing works any more, then the store closes.
struct Application::Parts {
  explicit Parts(const ApplicationOptions& given);

  void listen();
  [[nodiscard]] std::shared_ptr<const Models> load();  // null without weights
  [[nodiscard]] Models load_on_card(const Models& on_cpu, const Weights& mtcnn, const Weights& embedder);
  void open(const std::shared_ptr<const Models>& models);
  void open_service(const std::shared_ptr<const Models>& models);
  void open_office(const ModelCard& card);
  void start();

  // application_watch.cpp: how it is while it runs.
  void tell_of_card(CardWatch::Event event, const CardReport& card);
  [[nodiscard]] std::string device_now() const;
  [[nodiscard]] Health health_now() const;
  void reload();                   // the certificate, on SIGHUP
  void keep_certificate();         // makes it, or a new one in time, where tls.mode is auto
  void keep_house(Health& found);  // sessions, certificate, calendar
  [[nodiscard]] Health probe();    // one real inference, the disk, what else somebody should know
  [[nodiscard]] ServerState state() const;
  // Whatever address is listened on, requests over loopback are let in.
  [[nodiscard]] bool open_to_this_machine() const { return !options.settings.auth.required; }
  [[nodiscard]] std::optional<double> certificate_seconds_left() const;

  ApplicationOptions options;
  Log log;
  std::string licence;                          // of the embedder; empty where nobody has stated one
  std::shared_ptr<const CardWatch> card_watch;  // null: no card is used
  std::vector<std::string> told;  // unreadable entries of the calendar that the log knows of; of the probe's thread
  std::unique_ptr<Metrics> metrics;
  std::unique_ptr<TlsKeeper> tls;  // null: plain HTTP
  Site site;
  std::unique_ptr<attendance::DataFolder> folder;
  std::unique_ptr<attendance::Database> database;
  std::unique_ptr<FrontDesk> desk;
  std::unique_ptr<attendance::SqliteStore> store;
  std::unique_ptr<attendance::Engine> engine;
  std::unique_ptr<attendance::Service> service;
  std::unique_ptr<Api> api;
  std::unique_ptr<Office> office;
  std::unique_ptr<HealthMonitor> health;
  std::unique_ptr<HttpServer> server;
  std::unique_ptr<Supervisor> supervisor;
};

}  // namespace wajah::server
