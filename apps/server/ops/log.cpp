#include "server/ops/log.hpp"

#include "server/json.hpp"
#include "server/reply.hpp"

#include <wajah/convert/open.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <utility>

namespace wajah::server {
namespace json = boost::json;

namespace {

constexpr std::size_t shortest_nik = 5;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool all_hex(std::string_view text) { return text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }

// How much of `text` is a model's id that it begins with: "mobilefacenet-0123456789abcdef+01234567". Its digits are no
// NIK, and operators compare it with those of other lines.
std::size_t length_of_model_id(std::string_view text) {
  constexpr std::size_t fingerprint = 16, views = 8;
  for (const std::string_view architecture : {inception_resnet_v1_name, mobilefacenet_name}) {
    const std::size_t hex = architecture.size() + 1, plus = hex + fingerprint, end = plus + 1 + views;
    if (!text.starts_with(architecture) || text.size() < end || text[hex - 1] != '-' || text[plus] != '+') continue;
    if (!all_hex(text.substr(hex, fingerprint)) || !all_hex(text.substr(plus + 1, views))) continue;
    if (text.size() == end || !(is_digit(text[end]) || is_letter(text[end]))) return end;
  }
  return 0;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warn: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::off: return spdlog::level::off;
  }
  return spdlog::level::info;
}

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warn: return "warn";
    default: return "error";
  }
}

// One event is one line, whatever a message holds.
std::string one_line(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  return result;
}

json::object begun(LogLevel level, std::string_view event) {
  const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto part = now.time_since_epoch().count() % 1000;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  return {
      {"ts", fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", seconds, part)}, {"level", name_of(level)}, {"event", event}};
}

double tenths(double milliseconds) { return std::round(milliseconds * 10) / 10; }

std::shared_ptr<spdlog::sinks::sink> standard_error(bool json) {
  if (json) return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  return std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
}

}  // namespace

LogOptions log_options_of(std::string_view format, std::string_view level, bool requests) {
  LogOptions options;
  options.json = format == "json" || (format == "auto" && ::isatty(STDERR_FILENO) != 1);
  options.requests = requests;
  for (const auto least : {LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error}) {
    if (name_of(least) == level) options.least = least;
  }
  return options;
}

Log::Log(LogOptions options, std::shared_ptr<spdlog::sinks::sink> sink)
    : options_(options),
      logger_(std::make_unique<spdlog::logger>("wajah", sink ? std::move(sink) : standard_error(options.json))) {
  logger_->set_level(spdlog_level(options_.least));
  logger_->set_pattern(options_.json ? "%v" : "%H:%M:%S.%e %^%-5l%$ %v");
}

Log::~Log() = default;

void Log::request(const AccessLine& line) {
  if (!options_.requests || !logger_->should_log(spdlog::level::info)) return;
  if (!options_.json) {
    logger_->info("{} {} {} {:.1f} ms {} B {}", line.method, line.path, line.status, line.milliseconds, line.bytes,
                  line.id);
    return;
  }
  auto entry = begun(LogLevel::info, "request");
  entry["request_id"] = line.id;
  entry["method"] = line.method;
  entry["route"] = line.path;
  entry["status"] = line.status;
  entry["ms"] = tenths(line.milliseconds);
  entry["bytes"] = line.bytes;
  json::object stages;
  for (const auto& [stage, milliseconds] : line.stages) stages[stage] = tenths(milliseconds);
  entry["stage_ms"] = std::move(stages);
  logger_->info("{}", to_text(entry));
}

void Log::write(LogLevel level, std::string_view event, std::string_view message) {
  const auto spd = spdlog_level(level);
  if (!logger_->should_log(spd)) return;
  // Warnings pass on what other parts say; all else is our own words.
  const auto text = level >= LogLevel::warn ? without_numbers(message) : std::string(message);
  if (!options_.json) return logger_->log(spd, "{}", one_line(text));
  auto entry = begun(level, event);
  entry["message"] = text;
  logger_->log(spd, "{}", to_text(entry));
}

std::string without_numbers(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    if (const std::size_t id = length_of_model_id(text.substr(i)); id > 0) {
      result += text.substr(i, id);
      i += id;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end - i >= shortest_nik) {
      result += fmt::format("{}***", text.substr(i, 2));
    } else {
      result += text.substr(i, std::max<std::size_t>(end - i, 1));
    }
    i = std::max(end, i + 1);
  }
  return result;
}

}  // namespace wajah::server
