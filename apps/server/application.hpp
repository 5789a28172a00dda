// Application: the whole server put together: models -> engine -> service -> routes -> HTTP. Tests start one
// in-process.
#pragma once

#include "server/config/settings.hpp"
#include "server/http_options.hpp"

#include <wajah/card_watch.hpp>
#include <wajah/cpu.hpp>
#include <wajah/embed/embedder.hpp>
#include <wajah/recognizer.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace wajah::server {

// A card to compute on, as the service knows it.
struct CardOptions {
  std::string name;  // "cuda:0 (NVIDIA H200), fp16"
  std::function<Models(const Weights& mtcnn, const Weights& embedder)> load;
  bool required = false;  // a card that cannot be used is an error at the start, not a reason to take the CPU
  std::function<CardWatch::Time()> now = &std::chrono::steady_clock::now;  // by which a card that failed rests
};

struct ApplicationOptions {
  Settings settings;
  HttpOptions http;  // as http_options_of(settings) or a test has it; its spool folder is set to the data folder
  std::optional<std::filesystem::path> mtcnn, embedder;  // without both, the server starts and says how to get them
  Cpu cpu{0};
  Precision precision = Precision::fp32;  // of the embedder on the CPU
  std::optional<CardOptions> card;
  std::string device_why;        // of that choice, for people; empty: it was the user's
  std::optional<Mirror> mirror;  // nothing: as the model card says
  bool log = true;               // to the standard error
};

class Application {
 public:
  // Takes the address, loads the models and does one real inference, opens the data folder, trains on whoever is
  // enrolled, then answers. With a card, faces are found and embedded there, and what fails there on the CPU
  // (card_watch.hpp), which /readyz and /version tell. A failure of this leaves the data folder as it was. Throws
  // Error: usage on settings that would let keys and faces cross a network in the clear, or an unknown zone; input on
  // an address in use or certificates that cannot serve; storage on a data folder that cannot be used; model on weights
  // that do not fit; device or device_memory on a required card that cannot be used.
  explicit Application(const ApplicationOptions& options);
  ~Application();  // cuts off what still runs
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;
  Application(Application&&) = delete;
  Application& operator=(Application&&) = delete;

  [[nodiscard]] std::uint16_t port() const;

  // A few lines for people: addresses, device, models, gallery, zone.
  [[nodiscard]] std::string banner() const;

  // From now on SIGTERM and SIGINT drain, a second one cuts off, and SIGHUP reads the certificate again.
  void act_on_signals();

  void drain();  // from any thread

  // Blocks until drained; false if requests had to be cut off.
  [[nodiscard]] bool wait();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace wajah::server
