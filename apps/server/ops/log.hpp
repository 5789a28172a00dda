// Log: one line an event, coloured text for people or JSON for programs, on the standard error. No images, embeddings,
// keys or names; what might be a NIK inside a warning is masked. Any number of threads.
#pragma once

#include "server/http_options.hpp"

#include <boost/json/object.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace spdlog {
class logger;
namespace sinks {
class sink;
}
}  // namespace spdlog

namespace wajah::server {

enum class LogLevel { debug, info, warn, error, off };

struct LogOptions {
  bool json = false;
  LogLevel least = LogLevel::info;
  bool requests = true;
};

// As log.format and log.level of the settings have it; `auto` is text where the standard error is a terminal.
[[nodiscard]] LogOptions log_options_of(std::string_view format, std::string_view level, bool requests);

class Log {
 public:
  // To the standard error, or where `sink` leads.
  explicit Log(LogOptions options, std::shared_ptr<spdlog::sinks::sink> sink = nullptr);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  Log(Log&&) = delete;
  Log& operator=(Log&&) = delete;

  void request(const AccessLine& line);

  // `event`: a word for programs ("start", "fault"); `message`: a sentence for people.
  void write(LogLevel level, std::string_view event, std::string_view message);
  void info(std::string_view event, std::string_view message) { write(LogLevel::info, event, message); }
  void warn(std::string_view event, std::string_view message) { write(LogLevel::warn, event, message); }
  void error(std::string_view event, std::string_view message) { write(LogLevel::error, event, message); }

 private:
  LogOptions options_;
  std::unique_ptr<spdlog::logger> logger_;
};

// Runs of five digits or more shortened to their first two: "person 12345" is "person 12***". Ids of models stay.
[[nodiscard]] std::string without_numbers(std::string_view text);

}  // namespace wajah::server
