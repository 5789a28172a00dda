#include "server/config/settings.hpp"

#include "attendance/records/calendar.hpp"
#include "attendance/site_time.hpp"

#include <wajah/error.hpp>
#include <wajah/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <type_traits>

namespace wajah::server {
namespace {

constexpr double million = 1e6;

void check_listen(const std::string& text) { (void)parse_listen_address(text); }
void check_zone(const std::string& text) { (void)attendance::Zone(text); }

void check_clock(const std::string& text) {
  if (!attendance::parse_clock(text)) fail(ErrorKind::usage, "{} is no clock time from 00:00 to 23:59", quote(text));
}

void check_address(const std::string& text) {
  boost::system::error_code error;
  boost::asio::ip::make_address(text, error);
  if (error) fail(ErrorKind::usage, "{} is not an IP address", quote(text));
}

// A basic string of TOML 1.0.
std::string toml_text(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      result += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
    } else {
      if (c == '"' || c == '\\') result += '\\';
      result += c;
    }
  }
  return result + "\"";
}

std::string number_text(double value) {
  const bool whole = value == static_cast<double>(static_cast<std::int64_t>(value));
  return whole ? fmt::format("{}", static_cast<std::int64_t>(value)) : fmt::format("{}", value);
}

std::string text_of(const TypedValue& value) {
  return std::visit(
      [](const auto& v) -> std::string {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::string>) return toml_text(v);
        if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          std::vector<std::string> items;
          for (const auto& item : v) items.push_back(toml_text(item));
          return fmt::format("[{}]", fmt::join(items, ", "));
        }
        if constexpr (std::is_arithmetic_v<T>) return fmt::format("{}", v);
      },
      value);
}

[[noreturn]] void refuse(const Setting& setting, const TypedValue& value, std::string_view name) {
  const auto* text = std::get_if<std::string>(&value);
  fail(ErrorKind::usage, "{}: {} given, expected {}", name, quote(text ? *text : text_of(value)), setting.expected());
}

bool in_range(const Setting& setting, double value) {
  return (setting.least == 0 && setting.most == 0) || (value >= setting.least && value <= setting.most);
}

bool is_choice(const Setting& setting, const std::string& text) {
  return setting.choices.empty() || std::ranges::find(setting.choices, text) != setting.choices.end();
}

void run_check(const Setting& setting, const std::string& text, std::string_view name) {
  if (!setting.check || text.empty()) return;
  try {
    setting.check(text);
  } catch (const Error& error) {
    fail(ErrorKind::usage, "{}: {}", name, error.what());
  }
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<bool> truth(std::string_view text) {
  for (const auto yes : {"true", "yes", "on", "1"}) {
    if (text == yes) return true;
  }
  for (const auto no : {"false", "no", "off", "0"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

std::vector<std::string> items(std::string_view text) {
  std::vector<std::string> result;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    result.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return result;
}

// The text as a value of the setting's type, as far as it is one.
TypedValue typed(const Setting& setting, std::string_view text) {
  return std::visit(
      [&](auto* target) -> TypedValue {
        using T = std::remove_pointer_t<decltype(target)>;
        if constexpr (std::is_same_v<T, std::vector<std::string>>) return items(text);
        if constexpr (std::is_same_v<T, bool>) {
          if (const auto value = truth(text)) return *value;
        } else if constexpr (std::is_arithmetic_v<T>) {
          if (const auto value = number<T>(text)) return *value;
        }
        return std::string(text);
      },
      setting.target);
}

}  // namespace

std::string Setting::flag() const {
  std::string name = "--" + std::string(short_name.empty() ? key : short_name);
  for (char& c : name) {
    if (c == '.' || c == '_') c = '-';
  }
  return name;
}

std::string Setting::environment() const {
  std::string name = "WAJAH_";
  for (const char c : flag().substr(2)) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

std::string Setting::expected() const {
  if (!choices.empty()) return fmt::format("one of {}", fmt::join(choices, ", "));
  const bool limited = least != 0 || most != 0;
  const auto range = limited ? fmt::format(" from {} to {}", number_text(least), number_text(most)) : "";
  switch (target.index()) {
    case 0: return "true or false";
    case 1: return "a whole number" + range;
    case 2: return "a number" + range;
    case 3: return "a text";
    default: return "a list of texts";
  }
}

std::string Setting::value() const {
  return std::visit([](const auto* pointer) { return text_of(TypedValue(*pointer)); }, target);
}

void set_value(const Setting& setting, const TypedValue& value, std::string_view name) {
  const auto* whole = std::get_if<std::int64_t>(&value);
  if (auto* const* target = std::get_if<double*>(&setting.target)) {
    const auto* real = std::get_if<double>(&value);
    if (!whole && !real) refuse(setting, value, name);
    const double given = real ? *real : static_cast<double>(*whole);
    if (!in_range(setting, given)) refuse(setting, value, name);
    **target = given;
    return;
  }
  std::visit(
      [&](auto* target) {
        using T = std::remove_pointer_t<decltype(target)>;
        const auto* given = std::get_if<T>(&value);
        if (!given) refuse(setting, value, name);
        if constexpr (std::is_same_v<T, std::int64_t>) {
          if (!in_range(setting, static_cast<double>(*given))) refuse(setting, value, name);
        } else if constexpr (std::is_same_v<T, std::string>) {
          if (!is_choice(setting, *given)) refuse(setting, value, name);
          run_check(setting, *given, name);
        } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          for (const auto& item : *given) run_check(setting, item, name);
        }
        *target = *given;
      },
      setting.target);
}

void set_text(const Setting& setting, std::string_view text, std::string_view name) {
  set_value(setting, typed(setting, text), name);
}

std::vector<Setting> list_of(Settings& s) {
  return {
      {"server.listen",
       "listen",
       "HOST:PORT",
       "Address to listen on; port 0 takes any free one.",
       &s.server.listen,
       0,
       0,
       {},
       check_listen},
      {"server.behind_proxy", "", "",
       "A proxy on trusted_proxies ends TLS before this server, so that a public address "
       "without TLS of its own is allowed.",
       &s.server.behind_proxy},
      {"server.trusted_proxies",
       "",
       "ADDRESS,...",
       "Proxies whose X-Forwarded-For is believed; from others it is "
       "ignored.",
       &s.server.trusted_proxies,
       0,
       0,
       {},
       check_address},
      {"server.network_threads", "", "N", "Threads that read and write connections.", &s.server.network_threads, 1, 64},
      {"server.max_connections", "", "N", "Connections open at once.", &s.server.max_connections, 1, million},
      {"server.max_connections_per_address", "", "N",
       "Of these from one address; this machine and trusted proxies are "
       "exempt.",
       &s.server.max_connections_per_address, 1, million},
      {"server.recognise_queue", "", "N", "Recognitions that may wait before the answer is 503.",
       &s.server.recognise_queue, 1, 10'000},
      {"server.upload_queue", "", "N", "Uploads and removals that may wait before the answer is 503.",
       &s.server.upload_queue, 1, 1000},
      {"server.uploads_at_once", "", "N", "Large bodies taken at once.", &s.server.uploads_at_once, 1, 64},
      {"server.recognise_seconds", "", "S", "Longest wait for a recognition, then 504.", &s.server.recognise_seconds, 1,
       600},
      {"server.upload_seconds", "", "S", "Longest wait for an upload or a removal, then 504.", &s.server.upload_seconds,
       1, 3600},
      {"server.head_seconds", "", "S", "Time for a request's header, or a TLS handshake, to arrive.",
       &s.server.head_seconds, 1, 300},
      {"server.idle_seconds", "", "S", "How long a connection may rest between two requests.", &s.server.idle_seconds,
       1, 3600},
      {"server.drain_seconds", "", "S", "How long requests may take to end after SIGTERM.", &s.server.drain_seconds, 1,
       600},
      {"engine.device", "device", "auto|cpu|cuda[:n]", "Where to compute; auto takes a card where one can be had.",
       &s.engine.device},
      {"engine.threads", "threads", "N", "Threads to compute with; 0 takes all this process may run on.",
       &s.engine.threads, 0, 1024},
      {"engine.precision", "precision", "auto|fp32|int8|tf32|fp16|bf16",
       "Of the embedder's arithmetic; auto is fp32; int8 takes weights whose ranges 'models quantise' has measured; "
       "tf32 and bf16 are a card's, fp16 a card's and that of CPUs with AVX512-FP16.",
       &s.engine.precision},
      {"engine.recognise_queue", "", "N", "Pictures to recognise that may wait for a worker.",
       &s.engine.recognise_queue, 1, 10'000},
      {"engine.enrol_queue", "", "N", "Pictures to enrol that may wait for a worker.", &s.engine.enrol_queue, 100,
       100'000},
      {"engine.max_batch", "", "N", "Faces of several requests that are embedded together; 1 embeds each by itself.",
       &s.engine.max_batch, 1, 256},
      {"engine.max_wait_ms", "", "MS",
       "A face that was found so long ago is embedded before another waiting picture is looked at; nobody waits for "
       "pictures that have not come.",
       &s.engine.max_wait_ms, 0, 1000},
      {.key = "gpu.memory_fraction",
       .short_name = "",
       .metavar = "F",
       .about = "Share of a GPU's memory that may be used, a hard limit; engine.gpu.memory_fraction is the same.",
       .target = &s.engine.gpu_memory_fraction,
       .least = 0.05,
       .most = 1,
       .former = "engine.gpu.memory_fraction"},
      {"pipeline.weights", "weights", "FILE",
       "Embedder: .safetensors, .pb or .onnx; empty looks where `wajah models` puts "
       "it.",
       &s.pipeline.weights},
      {"pipeline.mtcnn", "mtcnn", "FILE|DIR", "Detector: .safetensors, or a folder with det1.npy det2.npy det3.npy.",
       &s.pipeline.mtcnn},
      {"pipeline.mirror",
       "mirror",
       "auto|never|enrol|always",
       "Embed faces by their mirror image as well: of photos to enrol, or always, which takes the embedder twice as "
       "long; auto: as the model card says.",
       &s.pipeline.mirror,
       0,
       0,
       {"auto", "never", "enrol", "always"}},
      {"pipeline.enrol_min_face", "", "PX", "Smallest face looked for in a photo to enrol.", &s.pipeline.enrol_min_face,
       12, 1000},
      {"pipeline.recognise_min_face", "", "PX", "Smallest face looked for in a photo to recognise.",
       &s.pipeline.recognise_min_face, 12, 1000},
      {"pipeline.max_faces", "", "N", "Faces of a photo that are looked at, the best first.", &s.pipeline.max_faces, 1,
       1000},
      {"pipeline.max_megapixels", "", "MP", "Largest photo that is decoded.", &s.pipeline.max_megapixels, 0.1, 500},
      {"pipeline.strictness",
       "strictness",
       "off|standard|strict",
       "How good a photo must be to enrol somebody by it; off takes any face, as the original did.",
       &s.pipeline.strictness,
       0,
       0,
       {"off", "standard", "strict"}},
      {"match.accuracy", "", "P", "A face is somebody from this confidence on.", &s.match.accuracy, 0.01, 0.9999},
      {"attendance.zone",
       "zone",
       "NAME",
       "IANA time zone of the attendance log and of sites that have none.",
       &s.attendance.zone,
       0,
       0,
       {},
       check_zone},
      {"attendance.day_start",
       "",
       "HH:MM",
       "When a business day begins at sites that do not say: a night shift belongs to "
       "the evening's date.",
       &s.attendance.day_start,
       0,
       0,
       {},
       check_clock},
      {"attendance.duplicate_minutes", "", "M", "A second check-in within so many minutes is the first one again.",
       &s.attendance.duplicate_minutes, 0, 240},
      {"privacy.require_consent", "", "", "On /api/v1, enrol nobody without a consent in force.",
       &s.privacy.require_consent},
      {"privacy.keep_originals", "", "",
       "Keep uploaded photos, upright and without metadata, so that a new model can "
       "learn them again.",
       &s.privacy.keep_originals},
      {"privacy.keep_events_days", "", "DAYS",
       "Erase attendance this many days after its business date, with its lines of the daily log; 0 keeps it.",
       &s.privacy.keep_events_days, 0, 36'500},
      {"privacy.keep_templates_days", "", "DAYS",
       "Erase people of whom nothing was heard for so many days: no attendance, no change, no new photo; 0 keeps them.",
       &s.privacy.keep_templates_days, 0, 36'500},
      {"compat.tree", "", "", "Keep train_img/<nik>/<nama>/ and aligned_img/ as the original service did.",
       &s.compat.tree},
      {"compat.redirect_slash", "", "", "Answer POST /recognize with 307 to /recognize/ instead of answering.",
       &s.compat.redirect_slash},
      {"compat.disclose_other", "", "", "A wrong claim on /recognize/ still names the person who was recognised.",
       &s.compat.disclose_other},
      {"compat.errors_500", "", "", "A picture that cannot be decoded is a 500 on /recognize/ instead of a 400.",
       &s.compat.errors_500},
      {"compat.ignore_exif", "", "", "Take pictures as they lie, whatever their orientation tag says.",
       &s.compat.ignore_exif},
      {"compat.closed_set", "", "",
       "Decide as the original did, everywhere: the confidence is the original machine's probability (Platt's) among "
       "those who are enrolled, however unlike they are, so that a stranger may reach match.accuracy; below it the "
       "answer is Unknown.",
       &s.compat.closed_set},
      {"auth.required", "", "", "Ask callers on this machine for a key too.", &s.auth.required},
      {"auth.original_routes",
       "",
       "keys|open",
       "Whether /upload/, /recognize/ and /hapus/ need a key; open lets the "
       "original's clients in unchanged.",
       &s.auth.original_routes,
       0,
       0,
       {"keys", "open"}},
      {"auth.failures_per_minute", "", "N", "Wrong keys and passwords from one address before it must wait.",
       &s.auth.failures_per_minute, 1, 1000},
      {"auth.session_hours", "", "H", "How long a log-in on the pages lasts.", &s.auth.session_hours, 1, 24 * 30},
      {"storage.data", "data", "DIR", "Data folder.", &s.storage.data},
      {"storage.key_file", "", "FILE",
       "File of the key that templates are encrypted with; empty leaves them as they are.", &s.storage.key_file},
      {"tls.mode",
       "tls",
       "off|auto|files",
       "off: plain HTTP. auto: a certificate of the installation's own authority, "
       "made at the first start. files: the two files below.",
       &s.tls.mode,
       0,
       0,
       {"off", "auto", "files"}},
      {"tls.certificate", "", "FILE", "For files: the certificate and those that vouch for it, PEM.",
       &s.tls.certificate},
      {"tls.key", "", "FILE", "For files: its private key, PEM without a passphrase.", &s.tls.key},
      {"webhooks.ca_file", "", "FILE",
       "Authorities, PEM, that may vouch for receivers of webhooks besides the system's: a company's own.",
       &s.webhooks.ca_file},
      {"log.format",
       "",
       "auto|text|json",
       "auto: coloured text on a terminal, JSON lines otherwise.",
       &s.log.format,
       0,
       0,
       {"auto", "text", "json"}},
      {"log.level",
       "",
       "LEVEL",
       "Least level that is written.",
       &s.log.level,
       0,
       0,
       {"debug", "info", "warn", "error"}},
      {"log.access", "", "", "Write a line for each request.", &s.log.access},
      {"metrics.enabled", "", "", "Answer /metrics.", &s.metrics.enabled},
      {"metrics.open", "", "", "Answer /metrics to everybody who can reach the port, for scrapers without a key.",
       &s.metrics.open},
  };
}

HttpOptions http_options_of(const Settings& settings) {
  const auto& s = settings.server;
  const auto size = [](std::int64_t value) { return static_cast<std::size_t>(value); };
  HttpOptions options;
  options.listen = parse_listen_address(s.listen);
  options.network_threads = size(s.network_threads);
  options.max_connections = size(s.max_connections);
  options.max_connections_per_address = size(s.max_connections_per_address);
  options.unlimited_addresses = s.trusted_proxies;
  options.recognise_queue = size(s.recognise_queue);
  options.manage_queue = size(s.upload_queue);
  options.uploads_at_once = size(s.uploads_at_once);
  options.recognise_deadline = std::chrono::seconds(s.recognise_seconds);
  options.manage_deadline = std::chrono::seconds(s.upload_seconds);
  options.head_deadline = std::chrono::seconds(s.head_seconds);
  options.idle_deadline = std::chrono::seconds(s.idle_seconds);
  options.drain_deadline = std::chrono::seconds(s.drain_seconds);
  return options;
}

std::string configuration_page() {
  std::string page =
      "# Configuration\n\n"
      "Every option has three names, made from one list (`apps/server/config/settings.cpp`): a flag of `wajah serve`, "
      "an\n"
      "environment variable, and a key of `wajah.toml`. A flag wins over the environment, the environment over the "
      "file, the\n"
      "file over the default. `wajah serve --print-config` shows every value and where it came from.\n\n"
      "The file is the one that `--config FILE` (`WAJAH_CONFIG`) names; without it `/etc/wajah/wajah.toml` and then\n"
      "`wajah.toml` in the data folder, where they are there, the latter winning. A key that is not in this list stops "
      "the\n"
      "start with the name of the file and its line, and so does a value of another type or out of range.\n"
      "Flags take their value after a space or `=`; those that are true or false may stand alone (`--auth-required`).\n"
      "Lists are written `a,b` on the command line and in the environment, `[\"a\", \"b\"]` in the file.\n\n"
      "Commands that work on a data folder without a server (enrol, recognise, people, attendance, import, export, "
      "keys,\ncert, models) go by the same environment and files, and by the flags of this list that they have.\n\n"
      "This page is written by `wajah serve --print-reference`, and a test keeps it current.\n";
  Settings settings;
  std::string_view section;
  for (const auto& setting : list_of(settings)) {
    const auto dot = setting.key.find('.');
    if (setting.key.substr(0, dot) != section) {
      section = setting.key.substr(0, dot);
      page += fmt::format("\n## {}\n\n| key | flag | environment | default | what |\n|---|---|---|---|---|\n", section);
    }
    const bool limited = setting.least != 0 || setting.most != 0 || !setting.choices.empty();
    const auto values = limited ? fmt::format(" Expects {}.", setting.expected()) : std::string();
    page += fmt::format("| `{}` | `{}` | `{}` | `{}` | {}{} |\n", setting.key, setting.flag(), setting.environment(),
                        setting.value(), setting.about, values);
  }
  return page;
}

}  // namespace wajah::server
