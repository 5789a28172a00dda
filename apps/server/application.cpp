#include "server/application.hpp"

#include "attendance/analyser.hpp"
#include "attendance/enrolment_checks.hpp"
#include "attendance/records/calendar.hpp"
#include "attendance/site_time.hpp"
#include "server/access/exposure.hpp"
#include "server/api/scratch.hpp"
#include "server/application_parts.hpp"
#include "server/config/service_settings.hpp"
#include "server/model_card.hpp"

#include <wajah/card_watch.hpp>
#include <wajah/convert/open.hpp>
#include <wajah/error.hpp>
#include <wajah/recognizer.hpp>

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

namespace wajah::server {
namespace {

constexpr std::chrono::seconds probe_interval{60};
constexpr Milliseconds answer_patience{5000};

class ServiceApi final : public Api {
 public:
  explicit ServiceApi(attendance::Service& service) : service_(service) {}

  attendance::UploadResult upload(std::string_view nik, std::string_view name,
                                  std::span<const attendance::File> files) override {
    return service_.upload(nik, name, files, attendance::Force::no, attendance::Recognisable::later);
  }
  void wait_for(attendance::UploadResult& uploaded) override { service_.wait_for(uploaded); }
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

attendance::EngineOptions engine_options_of(const Settings& settings, Metrics& metrics) {
  attendance::EngineOptions options;
  options.recognise_queue = static_cast<std::size_t>(settings.engine.recognise_queue);
  options.enrol_queue = static_cast<std::size_t>(settings.engine.enrol_queue);
  options.max_batch = static_cast<std::size_t>(settings.engine.max_batch);
  options.max_wait = std::chrono::milliseconds(settings.engine.max_wait_ms);
  options.passed = [&metrics](const attendance::Pass& pass) {
    metrics.pass(pass.purpose == attendance::Purpose::enrol ? "enrol" : "recognise", pass.pictures, pass.faces);
  };
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

std::string reason_text(const ApplicationOptions& options) {
  return options.device_why.empty() ? "" : fmt::format(" (auto: {})", options.device_why);
}

LogOptions log_options(const ApplicationOptions& options) {
  const auto& log = options.settings.log;
  auto result = log_options_of(log.format, log.level, log.access);
  if (!options.log) result.least = LogLevel::off;
  return result;
}

}  // namespace

Application::Parts::Parts(const ApplicationOptions& given) : options(given), log(log_options(given)) {}

// What can go wrong goes wrong before anything is written: address, then weights, then the data folder.
void Application::Parts::listen() {
  const auto& settings = options.settings;
  check_exposure(settings, options.http.listen);
  (void)attendance::Zone(settings.attendance.zone);  // a wrong name is told at once
  options.http.spool_folder = settings.storage.data;
  if (settings.tls.mode != "off") options.http.tls = [this] { return tls->context(); };
  if (settings.tls.mode == "files") tls = std::make_unique<TlsKeeper>(tls_files_of(settings));
  site.info = {WAJAH_VERSION, "", name_of_cpu(options)};
  site.build = build_facts();
  site.without = how_to_get_weights;
  site.compat = settings.compat;
  site.warn = [this](const std::string& message) {
    if (metrics) metrics->warned();
    log.warn("fault", message);
  };
  server = std::make_unique<HttpServer>(options.http, site, [this](const AccessLine& line) {
    metrics->request(line);
    log.request(line);
  });
}

void Application::Parts::open(const std::shared_ptr<const Models>& models) {
  const auto& settings = options.settings;
  site.info.model = models ? models->card().id : "";
  metrics = std::make_unique<Metrics>(BuildInfo{site.info.version, site.info.model, site.info.device});
  folder = std::make_unique<attendance::DataFolder>(settings.storage.data);
  keep_certificate();
  database =
      std::make_unique<attendance::Database>(*folder, attendance::DatabaseOptions{settings.storage.key_file, {}});
  desk = std::make_unique<FrontDesk>(*database, folder->path(), settings,
                                     FrontDesk::Listeners{site.warn, [this](std::string_view action) {
                                                            if (action.ends_with("_refused")) metrics->refused(action);
                                                          }});
  site.gatekeeper = &desk->gatekeeper();
  site.authenticate = [this](const Request& request, const Route& route) {
    return desk->gatekeeper().admit(request, route);
  };
  if (models) open_service(models);
}

void Application::Parts::open_service(const std::shared_ptr<const Models>& models) {
  const auto& settings = options.settings;
  store = std::make_unique<attendance::SqliteStore>(*database);
  // The engine keeps one of two or more workers free of enrolments. A picture that is alone gets all threads, up to
  // where a network of this size gains nothing more.
  const auto workers = static_cast<std::size_t>(std::max(2, options.cpu.threads()));
  const int lone_threads = std::min(options.cpu.threads(), 8);
  engine = std::make_unique<attendance::Engine>(
      attendance::make_analysers(models, Cpu(lone_threads, options.cpu.isa()), workers, analyser_options_of(settings)),
      engine_options_of(settings, *metrics));
  attendance::ServiceOptions rules = service_options_of(settings, models->card(), *folder);
  rules.warn = site.warn;
  service = std::make_unique<attendance::Service>(*store, *engine, rules);
  api = std::make_unique<ServiceApi>(*service);
  site.info.model = engine->model();
  site.api = api.get();
  open_office(models->card());
}

// The stores and the book behind /api/v1.
void Application::Parts::open_office(const ModelCard& card) {
  const auto& settings = options.settings;
  OfficeOptions rules;
  rules.book.zone = settings.attendance.zone;
  rules.book.day_start = *attendance::parse_clock(settings.attendance.day_start);
  rules.book.duplicate_window = attendance::Minutes(settings.attendance.duplicate_minutes);
  rules.backend.model = {engine->model(), licence, card.architecture, card.dimension};
  rules.backend.require_consent = settings.privacy.require_consent;
  rules.backend.temporary_folder = folder->path();
  rules.backend.key_file = settings.storage.key_file;
  rules.backend.compat = settings.compat;
  remove_scratch_folders(folder->path());
  rules.retention.rules = {std::chrono::days(settings.privacy.keep_events_days),
                           std::chrono::days(settings.privacy.keep_templates_days)};
  rules.webhooks.ca_file = settings.webhooks.ca_file;
  rules.backend.warn = rules.webhooks.warn = rules.retention.warn = site.warn;
  office = std::make_unique<Office>(*database, *store, *service, *engine, desk->secret(), rules);
  site.backend = &office->backend();
}

void Application::Parts::start() {
  health = std::make_unique<HealthMonitor>([this] { return probe(); }, probe_interval);
  site.health = [this] { return health_now(); };
  if (options.settings.metrics.enabled) site.metrics = [this] { return metrics->text(state()); };
  server->start();
  supervisor = std::make_unique<Supervisor>([this] { return server->answers(answer_patience); });
  supervisor->ready(
      fmt::format("answering on {}", url_of({options.http.listen.host, server->port()}, tls ? "https" : "http")));
  if (service) log.info("device", fmt::format("computes on {}{}", site.device(), reason_text(options)));
  log.info("start", fmt::format("wajah {} answers on port {}", WAJAH_VERSION, server->port()));
  if (open_to_this_machine()) log.warn("open", open_warning);
}

std::shared_ptr<const Models> Application::Parts::load() {
  if (!options.mtcnn || !options.embedder) return nullptr;
  const Weights mtcnn = open_mtcnn(*options.mtcnn), embedder = open_embedder(*options.embedder, options.mirror);
  Models models{load_detector(mtcnn, options.cpu), load_embedder(embedder, options.cpu, options.precision)};
  self_test(std::make_shared<const Models>(models), options.cpu);
  licence = licence_of(*options.embedder, embedder);
  if (options.card) models = load_on_card(models, mtcnn, embedder);
  return std::make_shared<const Models>(models);
}

// The networks on the card with those on the CPU behind them; or these, if the card need not be used and cannot be.
Models Application::Parts::load_on_card(const Models& on_cpu, const Weights& mtcnn, const Weights& embedder) try {
  const Models on_card = options.card->load(mtcnn, embedder);
  self_test(std::make_shared<const Models>(on_card), options.cpu);
  const auto watch = std::make_shared<CardWatch>(
      [this](CardWatch::Event event, const CardReport& card) { tell_of_card(event, card); }, options.card->now);
  Models models{with_spare(on_card.detector, on_cpu.detector, watch),
                with_spare(on_card.embedder, on_cpu.embedder, watch)};
  site.info.device = options.card->name;
  site.computes_on = [this] { return device_now(); };
  card_watch = watch;
  return models;
} catch (const Error& error) {
  if (options.card->required) throw;
  options.device_why = error.what();
  return on_cpu;
}

Application::Application(const ApplicationOptions& options) : parts_(std::make_unique<Parts>(options)) {
  raise_descriptor_limit();
  parts_->listen();
  parts_->open(parts_->load());
  parts_->start();
}

Application::~Application() = default;

std::uint16_t Application::port() const { return parts_->server->port(); }

std::string Application::banner() const {
  const auto& parts = *parts_;
  const auto url = url_of({parts.options.http.listen.host, port()}, parts.tls ? "https" : "http");
  std::string text =
      fmt::format("wajah {}\n  page     {}/\n  docs     {}/docs\n  device   {}, {} threads{}\n", WAJAH_VERSION, url,
                  url, parts.site.device(), parts.options.cpu.threads(), reason_text(parts.options));
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
  if (const auto& key = parts.desk->first_key()) {
    text += fmt::format("  key      {}\n           of an administrator, shown this once: keep it safe\n", *key);
  }
  if (parts.open_to_this_machine()) text += fmt::format("  OPEN     {}\n", open_warning);
  return text + fmt::format("  zone     {}\n  data     {}\n", parts.options.settings.attendance.zone,
                            parts.folder->path().string());
}

void Application::act_on_signals() {
  parts_->server->drain_on_signals([parts = parts_.get()] { parts->reload(); });
}
void Application::drain() { parts_->server->drain(); }

bool Application::wait() {
  const bool drained = parts_->server->wait();
  parts_->supervisor->stopping();
  parts_->log.info("stop", drained ? "every request was answered" : "requests were cut off");
  return drained;
}

}  // namespace wajah::server
