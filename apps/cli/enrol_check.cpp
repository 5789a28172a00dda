#include "cli/enrol_check.hpp"

#include "attendance/analyser.hpp"
#include "attendance/enrolment_checks.hpp"
#include "cli/attendance.hpp"
#include "cli/json_text.hpp"
#include "cli/report.hpp"
#include "cli/weight_files.hpp"
#include "server/config/service_settings.hpp"

#include <wajah/error.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>

namespace wajah::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using attendance::Analysis;
using attendance::PhotoFault;
using attendance::PhotoVerdict;

std::vector<std::string> files_of(const std::vector<std::string>& operands) try {
  std::vector<std::string> files;
  for (const std::string& operand : operands) {
    std::error_code none;
    if (!fs::is_directory(operand, none)) {
      files.push_back(operand);
      continue;
    }
    const std::size_t first = files.size();
    for (const auto& entry : fs::recursive_directory_iterator(operand)) {
      if (entry.is_regular_file()) files.push_back(entry.path().string());
    }
    std::sort(files.begin() + static_cast<std::ptrdiff_t>(first), files.end());
  }
  return files;
} catch (const fs::filesystem_error& error) {
  fail(ErrorKind::input, "{}: {}", error.path1().string(), error.code().message());
}

json::value measures_json(const Analysis& analysis) {
  if (analysis.faces.empty()) return nullptr;
  const FaceMeasures& m = analysis.faces.front().measures;
  return json::object{{"size", rounded(m.size)},
                      {"detection", rounded(m.detection, 4)},
                      {"sharpness", rounded(m.sharpness, 4)},
                      {"p5", m.p5},
                      {"p50", m.p50},
                      {"p95", m.p95},
                      {"outside", rounded(m.outside, 4)},
                      {"yaw", rounded(m.pose.yaw)},
                      {"pitch", rounded(m.pose.pitch)},
                      {"roll", rounded(m.pose.roll)},
                      {"rival", rounded(analysis.rival, 4)}};
}

double score_of(const Analysis& analysis) {
  return analysis.faces.empty() ? 0 : judge(analysis.faces.front().measures, {}).score;
}

void print(const std::string& photo, const Analysis& analysis, const std::optional<PhotoVerdict>& verdict,
           bool as_json) {
  if (!as_json) {
    fmt::print("{}: {}, score {:.2f}{}{}\n", photo, verdict ? name_of(verdict->fault) : "usable", score_of(analysis),
               verdict ? ": " : "", verdict ? verdict->reason : "");
    return;
  }
  print_json(json::object{{"image", photo},
                          {"usable", !verdict},
                          {"fault", verdict ? json::value(name_of(verdict->fault)) : json::value(nullptr)},
                          {"reason", verdict ? json::value(verdict->reason) : json::value(nullptr)},
                          {"score", rounded(score_of(analysis), 4)},
                          {"turns", analysis.turns},
                          {"measures", measures_json(analysis)}});
}

using Counts = std::map<std::string_view, std::size_t>;

void print_summary(std::size_t photos, const Counts& faults) {
  std::size_t refused = 0;
  std::string reasons;
  for (const auto& [fault, count] : faults) {
    refused += count;
    reasons += fmt::format("{}{} {}", reasons.empty() ? ": " : ", ", fault, count);
  }
  fmt::print("{} photos, {} refused ({:.2f} %){}\n", photos, refused,
             100.0 * static_cast<double>(refused) / static_cast<double>(std::max<std::size_t>(1, photos)), reasons);
}

}  // namespace

int check_photos(const CommonOptions& common, const std::vector<std::string>& photos,
                 const server::Settings& settings) {
  const auto& checks = attendance::checks_of(attendance::parse_strictness(settings.pipeline.strictness));
  const Devices devices = make_devices(common);
  const auto analysers =
      attendance::make_analysers(load_models(common, devices), devices.cpu, 1, server::analyser_options_of(settings));
  const std::vector<std::string> files = files_of(photos);
  Progress progress("checking", files.size() > 20 ? files.size() : 0);
  Counts faults;
  std::size_t done = 0;
  bool readable = true;
  for (const std::string& photo : files) {
    progress.show(++done);
    Analysis analysis;
    std::optional<PhotoVerdict> verdict;
    try {
      analysis = analysers.front()->analyse(read_photo(photo), attendance::Purpose::enrol);
      verdict = fault_of(analysis, checks);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input) throw;
      verdict = {PhotoFault::undecodable, std::string(unnamed(photo, error.what())), {}};
      readable = false;
    }
    print(photo, analysis, verdict, common.json);
    if (verdict) ++faults[name_of(verdict->fault)];
  }
  if (!common.json && files.size() > 1) print_summary(files.size(), faults);
  if (!readable) return exit_input;
  return faults.empty() ? exit_yes : exit_no;
}

}  // namespace wajah::cli
