// wajah doctor: is everything here that the programs need, and does it work?
#include "attendance/data_folder.hpp"
#include "attendance/service.hpp"
#include "attendance/site_time.hpp"
#include "attendance/sqlite_store.hpp"
#include "cli/commands.hpp"
#include "cli/devices.hpp"
#include "cli/drawn_faces.hpp"
#include "cli/folder_settings.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/verification.hpp"
#include "cli/weight_files.hpp"
#include "server/access/certificates.hpp"
#include "server/access/exposure.hpp"
#include "server/model_card.hpp"

#include <wajah/convert/open.hpp>
#include <wajah/cuda.hpp>
#include <wajah/detect/detector.hpp>
#include <wajah/embed/embedder.hpp>
#include <wajah/error.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/crypto.h>
#include <openssl/x509.h>
#include <unistd.h>
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace wajah::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t little_space = std::uintmax_t{1} << 30;
constexpr double card_share = 0.2;        // beside a server that has most of the card
constexpr double card_tolerance = 1e-3;   // of 1 - cosine, in the coarsest precision but
constexpr double bytes_tolerance = 2e-2;  // int8, where a CPU's bytes may have half as many steps as a card's

enum class State { ok, warn, fail };

struct Finding {
  State state = State::ok;
  std::string text;
};

struct Check {
  std::string_view name;
  std::function<Finding(const CommonOptions&)> run;
};

std::string_view name_of(State state) {
  switch (state) {
    case State::ok: return "ok";
    case State::warn: return "warn";
    case State::fail: return "fail";
  }
  return "fail";
}

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

std::string cpu_features() {
  __builtin_cpu_init();
  std::string text;
  const auto add = [&](int has, const char* name) {
    if (has != 0) text += fmt::format(" {}", name);
  };
  add(__builtin_cpu_supports("avx2"), "AVX2");
  add(__builtin_cpu_supports("fma"), "FMA");
  add(__builtin_cpu_supports("avx512f"), "AVX-512F");
  add(__builtin_cpu_supports("avx512bw"), "BW");
  add(__builtin_cpu_supports("avx512dq"), "DQ");
  add(__builtin_cpu_supports("avx512vl"), "VL");
  add(__builtin_cpu_supports("avx512vnni"), "VNNI");
  add(__builtin_cpu_supports("avx512bf16"), "BF16");
  add(__builtin_cpu_supports("amx-tile"), "AMX-TILE");
  add(__builtin_cpu_supports("amx-int8"), "AMX-INT8");
  add(__builtin_cpu_supports("amx-bf16"), "AMX-BF16");
  return text.empty() ? " no vector extensions" : text;
}

Finding check_cpu(const CommonOptions& options) {
  const bool on_card = parse_device(options.device).kind == DeviceChoice::Kind::cuda;
  check_threads(options);
  const Cpu cpu = on_card ? Cpu(options.threads) : make_device(options);
  return {State::ok, fmt::format("{},{}; kernels {}, {} thread{}", cpu_name(), cpu_features(), name_of(cpu.isa()),
                                 cpu.threads(), cpu.threads() == 1 ? "" : "s")};
}

std::string licence_text(const fs::path& file, const Weights& weights) {
  const std::string licence = server::licence_of(file, weights);
  return licence.empty() ? "licence not stated" : "licence " + licence;
}

Finding nothing_found(std::string_view option) {
  return {State::warn, fmt::format("no weights; 'wajah models fetch' gets them, or --{} names a file", option)};
}

std::size_t count_drawn_found(const std::shared_ptr<const DetectorModel>& model, const Cpu& cpu) {
  Detector detector(model, cpu);
  const DrawnFaces drawn = draw_two_faces();
  const std::vector<Face> found = detector.detect(drawn.image);
  std::size_t right = 0;
  for (const Face& face : drawn.faces) {
    for (const Face& candidate : found) right += intersection_over_union(face.box, candidate.box) > 0.4 ? 1 : 0;
  }
  return right;
}

std::vector<float> embed_drawn(const std::shared_ptr<const EmbedderModel>& model, const Cpu& cpu) {
  Embedder embedder(model, cpu);
  const DrawnFaces drawn = draw_two_faces();
  const std::array crops{make_crop(drawn.image, drawn.faces[0], embedder.card().crop)};
  return embedder.embed(crops);
}

double distance(std::span<const float> a, std::span<const float> b) {
  return std::abs(1.0 - static_cast<double>(cosine(a, b)));
}

// What finding and embedding give on the card, against the CPU.
Finding try_card(const Devices& devices, const CommonOptions& options) {
  const CudaFacts& card = devices.cuda->facts();
  Finding finding{State::ok, fmt::format("computing on {}, compute capability {}.{}, {} MB of memory", name_of(devices),
                                         card.major, card.minor, card.total_bytes >> 20U)};
  if (const auto file = look_for_mtcnn(options)) {
    const Weights weights = open_mtcnn(*file);
    const std::size_t found = count_drawn_found(load_detector(weights, devices), devices.cpu),
                      expected = count_drawn_found(load_detector(weights, devices.cpu), devices.cpu);
    if (found != expected) finding.state = State::fail;
    finding.text += fmt::format("; self-test: {} drawn faces found, the CPU finds {}", found, expected);
  }
  if (const auto file = look_for_embedder(options)) {
    const Weights weights = server::open_embedder(*file);
    const double apart = distance(embed_drawn(load_embedder(weights, devices), devices.cpu),
                                  embed_drawn(load_embedder(weights, devices.cpu, devices.precision), devices.cpu));
    const bool bytes = devices.precision == Precision::int8;
    if (!(apart < (bytes ? bytes_tolerance : card_tolerance))) finding.state = State::fail;
    finding.text += fmt::format("; 1 - cosine to the CPU's embedding {:.1e}", apart);
  }
  return finding;
}

// A card that cannot be used is no failure where the CPU is free to take its place.
Finding check_gpu(const CommonOptions& options) {
  const DeviceChoice choice = parse_device(options.device);
  const bool required = choice.kind == DeviceChoice::Kind::cuda;
  if (choice.kind == DeviceChoice::Kind::cpu) return {State::ok, "not looked for: --device cpu"};
  if (const auto reason = why_not_cuda(choice.card); reason && !required) {
    return {State::warn, fmt::format("no CUDA card to compute on: {}; computing on the CPU", *reason)};
  }
  try {
    CommonOptions beside = options;
    beside.gpu_memory_fraction = std::min(options.gpu_memory_fraction, card_share);
    const Devices devices = make_devices(beside);
    if (!devices.cuda) return {State::warn, fmt::format("computing on the CPU: {}", devices.why)};
    return try_card(devices, options);
  } catch (const Error& error) {
    if (required || !of_device(error.kind())) throw;
    return {State::warn, fmt::format("the card fails, computing on the CPU: {}", error.what())};
  }
}

Finding check_detector(const CommonOptions& options) {
  const auto file = look_for_mtcnn(options);
  if (!file) return nothing_found("mtcnn");
  const Weights weights = open_mtcnn(*file);
  const Cpu cpu(1);
  const std::size_t drawn = draw_two_faces().faces.size(), right = count_drawn_found(load_detector(weights, cpu), cpu);
  return {right == drawn ? State::ok : State::warn,
          fmt::format("{}, {}; self-test: {} of {} drawn faces found", file->string(), licence_text(*file, weights),
                      right, drawn)};
}

// The chosen kernels against the plain ones: a wrong instruction or a damaged file shows as another embedding.
Finding check_embedder(const CommonOptions& options) {
  const auto file = look_for_embedder(options);
  if (!file) return nothing_found("weights");
  const Weights weights = server::open_embedder(*file);
  const Cpu chosen(1), plain(1, Isa::scalar);
  const double apart =
      distance(embed_drawn(load_embedder(weights, chosen), chosen), embed_drawn(load_embedder(weights, plain), plain));
  return {apart < 1e-4 ? State::ok : State::fail,
          fmt::format("{}, {}; self-test: 1 - cosine to the plain kernels {:.1e}", file->string(),
                      licence_text(*file, weights), apart)};
}

Finding check_database(const CommonOptions& options) {
  std::error_code none;
  if (!fs::exists(options.data, none)) return {State::ok, fmt::format("{}: nothing there yet", options.data)};
  if (fs::is_directory(options.data, none) && !fs::exists(fs::path(options.data) / "wajah.db", none)) {
    return {State::ok, fmt::format("{}: no database yet", options.data)};
  }
  std::optional<attendance::DataFolder> folder;
  try {
    folder.emplace(options.data);
  } catch (const Error& error) {
    // Where we may write, only another process' lock keeps us out: most likely the server, which has checked for
    // itself.
    return {::access(options.data.c_str(), W_OK | X_OK) == 0 ? State::warn : State::fail, error.what()};
  }
  attendance::Database database(*folder, {options.storage_key_file, {}});
  attendance::SqliteStore store(database);
  const attendance::StoreCounts counts = store.counts("");
  return {State::ok, fmt::format("{}: {} people, {} photos, {} attendance rows", folder->database().string(),
                                 counts.people, counts.photos, counts.attendance)};
}

Finding check_time(const CommonOptions& options) {
  const attendance::Zone zone(folder_settings(options).attendance.zone);
  const attendance::LocalTime now = zone.local(std::chrono::system_clock::now());
  return {State::ok, fmt::format("{}: {:04}-{:02}-{:02} {:02}:{:02}", zone.name(), now.year, now.month, now.day,
                                 now.hour, now.minute)};
}

Finding check_settings(const CommonOptions& options) {
  const auto settings = folder_settings(options);
  const auto address = server::parse_listen_address(settings.server.listen);
  server::check_exposure(settings, address);
  return {State::ok, fmt::format("listens on {}; keys {}, original routes {}", settings.server.listen,
                                 server::is_loopback(address) && !settings.auth.required ? "not needed here" : "needed",
                                 settings.auth.original_routes == "open" ? "open" : "as all others")};
}

Finding check_access(const CommonOptions& options) {
  if (folder_settings(options).auth.required) return {State::ok, "everybody needs a key"};
  return {State::warn, std::string(server::open_warning)};
}

// Without HTTPS other machines' browsers give no camera to the kiosk page.
Finding check_tls(const CommonOptions& options) {
  const auto settings = folder_settings(options);
  if (settings.tls.mode == "off") {
    return {State::warn,
            "off: browsers of other machines need HTTPS for the camera; see 'wajah cert init' and --tls auto"};
  }
  const auto files = server::tls_files_of(settings);
  if (settings.tls.mode == "auto" && !fs::exists(files.certificate)) {
    return {State::ok, "auto: the first start makes a certificate"};
  }
  (void)server::make_tls_context(files);
  const auto info = server::read_certificate(files.certificate);
  const auto days = std::chrono::duration_cast<std::chrono::hours>(info.until - std::chrono::system_clock::now()) / 24;
  return {days.count() < 14 && settings.tls.mode == "files" ? State::warn : State::ok,
          fmt::format("{}: {}, {}, {} days left", files.certificate.string(), fmt::join(info.names, ", "), info.key,
                      days.count())};
}

Finding check_authorities(const CommonOptions&) {
  const bool authorities = fs::exists(X509_get_default_cert_file()) || fs::exists(X509_get_default_cert_dir());
  if (authorities) return {State::ok, OpenSSL_version(OPENSSL_VERSION)};
  return {State::warn, fmt::format("{}, but no certificate authorities: 'models fetch' trusts nobody; install "
                                   "ca-certificates",
                                   OpenSSL_version(OPENSSL_VERSION))};
}

Finding check_disk(const CommonOptions& options) {
  std::error_code error;
  fs::path folder = fs::absolute(options.data, error);
  while (!fs::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  const auto space = fs::space(folder, error);
  if (error) return {State::warn, fmt::format("{}: free space unknown: {}", folder.string(), error.message())};
  return {space.available < little_space ? State::warn : State::ok,
          fmt::format("{}: {:.1f} GiB free", folder.string(), static_cast<double>(space.available) / (1 << 30))};
}

Finding run_check(const Check& check, const CommonOptions& options) try {
  return check.run(options);
} catch (const Error& error) {
  return {State::fail, error.what()};
}

int run(Arguments arguments) {
  CommonOptions common;
  OptionSet set("doctor [options]",
                "Looks at processor, weights, database, disk, time zone, settings and TLS, and says ok, warn or fail "
                "of each. Exit 0 "
                "unless something fails.");
  set.common(common, {.device = true, .mtcnn = true, .weights = true, .data = true, .json = true, .lenient = true});
  if (!set.parse(arguments)) return exit_yes;

  const std::array checks{Check{"CPU", check_cpu},
                          Check{"GPU", check_gpu},
                          Check{"Detector", check_detector},
                          Check{"Embedder", check_embedder},
                          Check{"Database", check_database},
                          Check{"Disk", check_disk},
                          Check{"Time", check_time},
                          Check{"Settings", check_settings},
                          Check{"Access", check_access},
                          Check{"TLS", check_tls},
                          Check{"OpenSSL", check_authorities}};
  bool failed = false;
  for (const Check& check : checks) {
    const Finding finding = run_check(check, common);
    failed = failed || finding.state == State::fail;
    if (common.json) {
      print_json(
          boost::json::object{{"check", check.name}, {"state", name_of(finding.state)}, {"message", finding.text}});
    } else {
      fmt::print("{:<5} {:<9} {}\n", name_of(finding.state), check.name, finding.text);
    }
  }
  return failed ? exit_no : exit_yes;
}

}  // namespace

const Command doctor_command{"doctor", "checks processor, weights, database, settings, time zone and TLS", run};

}  // namespace wajah::cli
