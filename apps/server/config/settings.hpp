// Settings: everything an operator can set, once as plain values and once as the list that the command line, the
// environment, wajah.toml, --print-config and docs/configuration.md are all made from. Adding an option is one member
// and one row.
#pragma once

#include "server/compat.hpp"
#include "server/http_options.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace wajah::server {

struct Settings {
  struct {
    std::string listen = "127.0.0.1:8006";
    bool behind_proxy = false;
    std::vector<std::string> trusted_proxies;
    std::int64_t network_threads = 2;
    std::int64_t max_connections = 12'000;
    std::int64_t max_connections_per_address = 256;
    std::int64_t recognise_queue = 64;
    std::int64_t upload_queue = 16;
    std::int64_t uploads_at_once = 4;
    std::int64_t recognise_seconds = 15;
    std::int64_t upload_seconds = 200;
    std::int64_t head_seconds = 10;
    std::int64_t idle_seconds = 30;
    std::int64_t drain_seconds = 10;
  } server;
  struct {
    std::string device = "auto";
    std::int64_t threads = 0;
    std::string precision = "auto";
    double gpu_memory_fraction = 0.6;
    std::int64_t recognise_queue = 64;
    std::int64_t enrol_queue = 400;
    std::int64_t max_batch = 32;
    std::int64_t max_wait_ms = 2;
  } engine;
  struct {
    std::string weights, mtcnn;
    std::string mirror = "auto";
    std::int64_t enrol_min_face = 20;
    std::int64_t recognise_min_face = 30;
    std::int64_t max_faces = 32;
    double max_megapixels = 40;
    std::string strictness = "standard";
  } pipeline;
  struct {
    double accuracy = 0.7;
  } match;
  struct {
    std::string zone = "Asia/Jakarta";
    std::string day_start = "04:00";
    std::int64_t duplicate_minutes = 5;
  } attendance;
  struct {
    bool keep_originals = false;
    bool require_consent = false;
    std::int64_t keep_events_days = 0;
    std::int64_t keep_templates_days = 0;
  } privacy;
  Compat compat;
  struct {
    bool required = false;
    std::string original_routes = "keys";
    std::int64_t failures_per_minute = 10;
    std::int64_t session_hours = 12;
  } auth;
  struct {
    std::string data = "data";
    std::string key_file;
  } storage;
  struct {
    std::string mode = "off";
    std::string certificate, key;
  } tls;
  struct {
    std::string ca_file;
  } webhooks;
  struct {
    std::string format = "auto";
    std::string level = "info";
    bool access = true;
  } log;
  struct {
    bool enabled = true;
    bool open = false;
  } metrics;
};

// One row: three names, a text, and where the value lives. The default is what a fresh Settings holds.
struct Setting {
  using Target = std::variant<bool*, std::int64_t*, double*, std::string*, std::vector<std::string>*>;

  std::string_view key;         // "tls.mode": section and key of wajah.toml
  std::string_view short_name;  // "tls", where the flag is not the key with dashes
  std::string_view metavar, about;
  Target target;
  double least = 0, most = 0;                          // of a number; both 0: any
  std::vector<std::string_view> choices = {};          // of a text; empty: any
  std::function<void(const std::string&)> check = {};  // of a text, or each of a list; throws Error with a sentence
  std::string_view former = {};                        // a key that it is known by as well

  [[nodiscard]] std::string flag() const;         // "--tls"
  [[nodiscard]] std::string environment() const;  // "WAJAH_TLS"
  [[nodiscard]] std::string expected() const;     // "a whole number from 1 to 64", for people
  [[nodiscard]] std::string value() const;        // as wajah.toml has it: 8, true, "text", ["a", "b"]
};

// The list, bound to `settings`, in the order people read it: by section.
[[nodiscard]] std::vector<Setting> list_of(Settings& settings);

using TypedValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

// Takes a value of the setting's type (a whole number is a number too). Throws Error (usage) that begins with `name`,
// which says where the value came from, and tells what came and what was expected.
void set_value(const Setting& setting, const TypedValue& value, std::string_view name);

// The same for the command line and the environment, where everything is text; lists are separated by commas.
void set_text(const Setting& setting, std::string_view text, std::string_view name);

// docs/configuration.md, made from the list.
[[nodiscard]] std::string configuration_page();

// What the HTTP server needs of it, listen address included. Throws Error (usage) if that is none.
[[nodiscard]] HttpOptions http_options_of(const Settings& settings);

}  // namespace wajah::server
