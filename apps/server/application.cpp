#include "server/application.hpp"

#include "attendance/analyser.hpp"
#include "attendance/data_folder.hpp"
#include "attendance/site_time.hpp"
#include "attendance/sqlite_store.hpp"
#include "server/access/certificates.hpp"
#include "server/access/exposure.hpp"
#include "server/access/tls.hpp"
#include "server/api/office.hpp"
#include "server/http_server.hpp"
#include "server/model_card.hpp"

#include <wajah/error.hpp>
#include <wajah/recognizer.hpp>

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

namespace wajah::server {
namespace {

constexpr std::string_view how_to_get_weights =
    "no weights: run `wajah models fetch`, or start with --weights FILE and --mtcnn FILE";

class ServiceApi final : public Api {
 public:
  explicit ServiceApi(attendance::Service& service) : service_(service) {}

  attendance::UploadResult upload(std::string_view nik, std::string_view name,
                                  std::span<const attendance::File> files) override {
    return service_.upload(nik, name, files);
  }
  attendance::RecogniseResult recognise(std::string_view nik_input, attendance::Bytes picture) override {
    return service_.recognise(nik_input, picture);
  }
  attendance::RemoveResult remove(std::string_view nik, std::string_view name) override {
    return service_.remove(nik, name);
  }

 private:
  attendance::Service& service_;
};

// The soft limit of descriptors is often 1,024, far below what the kernel grants for the asking.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

attendance::AnalyserOptions analyser_options_of(const Settings& settings) {
  const auto& pipeline = settings.pipeline;
  attendance::AnalyserOptions options;
  options.enrol.min_size = static_cast<double>(pipeline.enrol_min_face);
  options.recognise.min_size = static_cast<double>(pipeline.recognise_min_face);
  options.max_faces = static_cast<std::size_t>(pipeline.max_faces);
  options.limits.max_pixels = static_cast<std::int64_t>(pipeline.max_megapixels * 1e6);
  options.keep_pictures = settings.privacy.keep_originals;
  return options;
}

// One real pass through all networks, so that a device or a file that computes nonsense is found before anyone relies
// on it. The picture is a gradient with a face box in its middle; what matters is that numbers come out.
void self_test(const std::shared_ptr<const Models>& models, const Cpu& cpu) {
  Image picture(200, 200);
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) picture.pixels[i] = static_cast<std::uint8_t>(i / 3 % 251);
  Recognizer recognizer(models, cpu);
  (void)recognizer.detect(picture, recognise_options);
  const Face middle{{50, 50, 150, 150}, 1, {{{80, 85}, {120, 85}, {100, 105}, {85, 125}, {115, 125}}}};
  const auto embedding = recognizer.embed(picture, std::span(&middle, 1));
  const double norm = std::inner_product(embedding.begin(), embedding.end(), embedding.begin(), 0.0);
  if (!(std::abs(norm - 1) < 1e-3)) {
    fail(ErrorKind::model,
         "self-test: the embedding of model {} has norm {}, expected 1; the weights or the device are "
         "damaged",
         models->card().id, std::sqrt(norm));
  }
}

std::shared_ptr<spdlog::logger> make_logger(bool wanted) {
  if (!wanted) return std::make_shared<spdlog::logger>("wajah");
  return std::make_shared<spdlog::logger>("wajah", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
}

}  // namespace

// Destroyed from the last to the first: first nobody asks any more, then nothing works any more, then the store closes.
struct Application::Parts {
  explicit Parts(const ApplicationOptions& given) : options(given), logger(make_logger(given.log)) {}

  void listen();
  [[nodiscard]] std::shared_ptr<const Models> load() const;  // null without weights
  void open(const std::shared_ptr<const Models>& models);
  void open_office(const ModelCard& card);
  void reload();

  ApplicationOptions options;
  std::shared_ptr<spdlog::logger> logger;
  std::unique_ptr<TlsKeeper> tls;  // null: plain HTTP
  Site site;
  std::unique_ptr<attendance::DataFolder> folder;
  std::unique_ptr<attendance::Database> database;
  std::unique_ptr<attendance::SqliteStore> store;
  std::unique_ptr<attendance::Engine> engine;
  std::unique_ptr<attendance::Service> service;
  std::unique_ptr<ServiceApi> api;
  std::unique_ptr<Office> office;
  std::unique_ptr<HttpServer> server;
};

// What can go wrong goes wrong before anything is written: address, then weights, then the data folder.
void Application::Parts::listen() {
  check_exposure(options.settings, options.http.listen);
  (void)attendance::Zone(options.settings.attendance.zone);  // a wrong name is told at once
  options.http.spool_folder = options.settings.storage.data;
  if (options.settings.tls.mode != "off") options.http.tls = [this] { return tls->context(); };
  if (options.settings.tls.mode == "files") tls = std::make_unique<TlsKeeper>(tls_files_of(options.settings));
  site.info = {WAJAH_VERSION, "", fmt::format("cpu/{}", name_of(options.cpu.isa()))};
  site.without = how_to_get_weights;
  site.compat = options.settings.compat;
  site.warn = [log = logger](const std::string& message) { log->warn(message); };
  server = std::make_unique<HttpServer>(options.http, site, [log = logger](const AccessLine& line) {
    log->info("{} {} {} {:.1f} ms {} B {}", line.method, line.path, line.status, line.milliseconds, line.bytes,
              line.id);
  });
}

void Application::Parts::open(const std::shared_ptr<const Models>& models) {
  folder = std::make_unique<attendance::DataFolder>(options.settings.storage.data);
  if (options.settings.tls.mode == "auto") {
    keep_certificate_current(CertificateFiles(folder->path()));
    tls = std::make_unique<TlsKeeper>(tls_files_of(options.settings));
  }
  if (!models) return;
  database = std::make_unique<attendance::Database>(*folder,
                                                    attendance::DatabaseOptions{options.settings.storage.key_file, {}});
  store = std::make_unique<attendance::SqliteStore>(*database);
  // The engine keeps one of two or more workers free of enrolments.
  const auto workers = static_cast<std::size_t>(std::max(2, options.cpu.threads()));
  engine = std::make_unique<attendance::Engine>(
      attendance::make_analysers(models, Cpu(1, options.cpu.isa()), workers, analyser_options_of(options.settings)),
      attendance::EngineOptions{static_cast<std::size_t>(options.settings.engine.recognise_queue),
                                static_cast<std::size_t>(options.settings.engine.enrol_queue)});
  attendance::ServiceOptions rules;
  rules.log_folder = folder->log_folder();
  rules.zone = options.settings.attendance.zone;
  rules.accept = options.settings.match.accuracy;
  rules.strictness = attendance::parse_strictness(options.settings.pipeline.strictness);
  rules.classifier.closed_set = options.settings.compat.closed_set;
  rules.classifier.curve = models->card().curve;
  rules.warn = site.warn;
  service = std::make_unique<attendance::Service>(*store, *engine, rules);
  api = std::make_unique<ServiceApi>(*service);
  site.info.model = engine->model();
  site.api = api.get();
  open_office(models->card());
}

// The stores and the book behind /api/v1.
void Application::Parts::open_office(const ModelCard& card) {
  OfficeOptions rules;
  rules.book.zone = options.settings.attendance.zone;
  rules.backend.model = {engine->model(), "", card.architecture, card.dimension};
  rules.backend.temporary_folder = folder->path();
  rules.backend.warn = rules.webhooks.warn = site.warn;
  office = std::make_unique<Office>(*database, *service, *engine, attendance::server_secret(folder->path()), rules);
  site.backend = &office->backend();
}

void Application::Parts::reload() {
  if (!tls) return;
  try {
    tls->reload();
    logger->info("the certificate {} is in use", tls->files().certificate.string());
  } catch (const Error& error) {
    logger->error("the former certificate stays in use: {}", error.what());
  }
}

std::shared_ptr<const Models> Application::Parts::load() const {
  if (!options.mtcnn || !options.embedder) return nullptr;
  auto models = server::load_models(*options.mtcnn, *options.embedder, options.cpu, options.precision);
  self_test(models, options.cpu);
  return models;
}

Application::Application(const ApplicationOptions& options) : parts_(std::make_unique<Parts>(options)) {
  raise_descriptor_limit();
  parts_->listen();
  parts_->open(parts_->load());
  parts_->server->start();
}

Application::~Application() = default;

std::uint16_t Application::port() const { return parts_->server->port(); }

std::string Application::banner() const {
  const auto& parts = *parts_;
  const auto url = url_of({parts.options.http.listen.host, port()}, parts.tls ? "https" : "http");
  std::string text = fmt::format("wajah {}\n  page     {}/\n  docs     {}/docs\n  device   {}, {} threads\n",
                                 WAJAH_VERSION, url, url, parts.site.info.device, parts.options.cpu.threads());
  if (!parts.service) {
    text += fmt::format("  models   {}\n", how_to_get_weights);
  } else {
    const auto status = parts.service->status();
    text += fmt::format("  models   {}\n  gallery  {} people, {} photos\n", status.model, status.counts.people,
                        status.counts.photos);
    if (status.counts.waiting_people > 0) {
      text += fmt::format("  waiting  {} people have no embedding of this model\n", status.counts.waiting_people);
    }
  }
  return text + fmt::format("  zone     {}\n  data     {}\n", parts.options.settings.attendance.zone,
                            parts.folder->path().string());
}

void Application::act_on_signals() {
  parts_->server->drain_on_signals([parts = parts_.get()] { parts->reload(); });
}
void Application::drain() { parts_->server->drain(); }
bool Application::wait() { return parts_->server->wait(); }

}  // namespace wajah::server
