#include "attendance/refusal.hpp"
#include "server/access/certificates.hpp"
#include "server/access/exposure.hpp"
#include "server/application_parts.hpp"

#include <wajah/error.hpp>
#include <wajah/image_io.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <functional>
#include <string_view>
#include <system_error>
#include <vector>

namespace wajah::server {
namespace {

constexpr std::uintmax_t little_space = std::uintmax_t{512} << 20, no_space = std::uintmax_t{1} << 20;
constexpr double certificate_notice = 14 * 24 * 3600.0;
constexpr auto probe_patience = std::chrono::seconds(5);

// A picture with edges of all directions; what matters is that it goes through decoder and detector.
const std::vector<std::byte>& probe_picture() {
  static const auto bytes = [] {
    Image picture(160, 160);
    for (std::size_t i = 0; i < picture.pixels.size(); ++i) picture.pixels[i] = static_cast<std::uint8_t>(i / 3 % 251);
    return encode_jpeg(picture);
  }();
  return bytes;
}

// One inference through the same queue as everybody's. That the queue is full is a rush, not a fault.
void infer(attendance::Engine& engine, Health& found) {
  const attendance::Bytes picture(probe_picture());
  try {
    const auto batch = engine.analyse(std::span(&picture, 1), attendance::Purpose::recognise,
                                      std::chrono::steady_clock::now() + probe_patience);
    if (batch.failure) std::rethrow_exception(batch.failure->error);
  } catch (const attendance::Refusal&) {
    found.degraded.emplace_back("recognitions wait longer than five seconds");
  }
}

void look_at_disk(const std::filesystem::path& folder, Health& found) {
  std::error_code error;
  const auto space = std::filesystem::space(folder, error);
  if (error) {
    found.degraded.push_back(fmt::format("the data folder's free space is unknown: {}", error.message()));
  } else if (space.available < no_space) {
    found.ready = false;
    found.reason = "the data folder's disk is full: nothing can be enrolled, deleted or recorded; make room";
  } else if (space.available < little_space) {
    found.degraded.push_back(fmt::format("only {} MiB are free in the data folder", space.available >> 20));
  }
}

std::string fault_of(const CardReport& card) {
  switch (card.use) {
    case CardUse::in_use: break;
    case CardUse::resting:
      return fmt::format("the card failed, everything is computed on the CPU until one picture tries it after {} s: {}",
                         card.pause.count(), card.reason);
    case CardUse::lost:
      return "the card failed, everything is computed on the CPU until wajah is started again: " + card.reason;
  }
  return fmt::format("the card had no room {} times since the start, that was computed on the CPU: {}",
                     card.without_room, card.reason);
}

}  // namespace

std::string name_of_cpu(const ApplicationOptions& options) { return fmt::format("cpu/{}", name_of(options.cpu.isa())); }

void Application::Parts::keep_certificate() {
  if (options.settings.tls.mode != "auto") return;
  const CertificateFiles files(folder->path());
  const bool changed = keep_certificate_current(files);
  if (!tls) {
    tls = std::make_unique<TlsKeeper>(TlsFiles{files.server, files.server_key});
  } else if (changed) {
    reload();
  }
}

void Application::Parts::reload() {
  if (!tls) return;
  try {
    tls->reload();
    log.info("certificate", fmt::format("the certificate {} is in use", tls->files().certificate.string()));
  } catch (const Error& error) {
    log.error("certificate", fmt::format("the former certificate stays in use: {}", error.what()));
  }
}

std::optional<double> Application::Parts::certificate_seconds_left() const {
  if (!tls) return std::nullopt;
  try {
    const auto until = read_certificate(tls->files().certificate).until;
    return std::chrono::duration<double>(until - std::chrono::system_clock::now()).count();
  } catch (const Error&) {
    return 0.0;
  }
}

// On the thread that found out.
void Application::Parts::tell_of_card(CardWatch::Event event, const CardReport& card) {
  if (event == CardWatch::Event::taken_back) {
    log.info("device", fmt::format("computes on {} again", site.info.device));
  } else {
    site.warn(fault_of(card));
  }
}

std::string Application::Parts::device_now() const {
  return card_watch->in_use() ? site.info.device : name_of_cpu(options);
}

// The card's failure is told at once, not when the next probe is due.
Health Application::Parts::health_now() const {
  Health found = health->now();
  if (!card_watch) return found;
  const CardReport card = card_watch->report();
  if (card.use != CardUse::in_use || card.without_room_lately) found.degraded.push_back(fault_of(card));
  return found;
}

// Housekeeping that fails is a matter for somebody to look at; recognition does not stop for it.
void Application::Parts::keep_house(Health& found) {
  const auto attempt = [&](std::string_view what, const std::function<void()>& work) {
    try {
      work();
    } catch (const std::exception& fault) {  // its text is for the log: it may name files
      found.degraded.push_back(fmt::format("{} failed; the log says why", what));
      site.warn(fmt::format("{} failed: {}", what, fault.what()));
    }
  };
  attempt("removing sessions that have ended", [this] { desk->upkeep(); });
  attempt("renewing the TLS certificate", [this] { keep_certificate(); });
  if (!office) return;
  attempt("reading the calendar", [&] {
    const auto calendar = office->book().calendar();
    const auto& unreadable = calendar->entries().unreadable;
    for (const auto& entry : unreadable) found.degraded.push_back("the calendar's " + entry);
    if (unreadable != told) {
      for (const auto& entry : unreadable) site.warn("the calendar's " + entry);
    }
    told = unreadable;
  });
}

Health Application::Parts::probe() {
  Health found;
  keep_house(found);
  if (!service) return {false, std::string(how_to_get_weights), std::move(found.degraded)};
  infer(*engine, found);
  look_at_disk(folder->path(), found);
  const auto status = service->status();
  if (!status.training_error.empty()) found.degraded.push_back("the last training failed: " + status.training_error);
  if (status.damaged > 0) found.degraded.push_back(fmt::format("{} damaged embeddings are not used", status.damaged));
  const auto left = certificate_seconds_left();
  if (left && *left < certificate_notice) found.degraded.emplace_back("the TLS certificate expires within two weeks");
  return found;
}

ServerState Application::Parts::state() const {
  ServerState now;
  now.ready = health && health->now().ready && !site.draining;
  now.draining = site.draining;
  const auto load = server->load();
  now.connections = load.connections;
  now.waiting = {{"recognise", load.recognise_waiting}, {"manage", load.manage_waiting}, {"query", load.query_waiting}};
  if (service) {
    const auto engine_load = engine->load();
    now.waiting["engine_recognise"] = engine_load.recognise_waiting;
    now.waiting["engine_enrol"] = engine_load.enrol_waiting;
    now.engine_running = engine_load.running;
    const auto counts = service->status().counts;
    now.people = counts.people;
    now.photos = counts.photos;
  }
  if (card_watch) now.card = card_watch->report();
  now.certificate_seconds_left = certificate_seconds_left();
  return now;
}

}  // namespace wajah::server
