#include "cli/attendance.hpp"

#include "attendance/analyser.hpp"
#include "cli/weight_files.hpp"
#include "server/config/service_settings.hpp"

#include <wajah/error.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <system_error>

namespace wajah::cli {

namespace {

using attendance::Purpose;

// One picture to recognise is done soonest by all threads together; many to enrol by one thread each. The engine keeps
// one worker free of enrolments, so there is one more of them.
std::vector<std::unique_ptr<attendance::Analyser>> analysers(const std::shared_ptr<const Models>& models,
                                                             const Cpu& cpu, Purpose purpose,
                                                             const server::Settings& settings) {
  const attendance::AnalyserOptions options = server::analyser_options_of(settings);
  if (purpose == Purpose::recognise) return attendance::make_analysers(models, cpu, 1, options);
  return attendance::make_analysers(models, Cpu(1, cpu.isa()), static_cast<std::size_t>(cpu.threads()) + 1, options);
}

attendance::ServiceOptions service_options(const attendance::DataFolder& folder, const ModelCard& card, Purpose purpose,
                                           const server::Settings& settings) {
  attendance::ServiceOptions options = server::service_options_of(settings, card, folder);
  options.upload_deadline = std::chrono::hours(1);  // nobody waits at a door for it
  options.warn = [](const std::string& message) { fmt::print(stderr, "wajah: {}\n", message); };
  if (purpose == Purpose::enrol) {
    options.train = [](std::span<const Sample>, const ClassifierOptions& classifier) {
      return train_classifier({}, classifier);
    };
  }
  return options;
}

}  // namespace

Attendance::Attendance(const CommonOptions& options, Purpose purpose, const server::Settings& settings)
    : devices_(make_devices(options)),
      models_(load_models(options, devices_)),
      folder_(options.data),
      database_(folder_, {options.storage_key_file, {}}),
      store_(database_),
      engine_(analysers(models_, devices_.cpu, purpose, settings), {}),
      service_(store_, engine_, service_options(folder_, models_->card(), purpose, settings)) {}

void require_data_folder(const CommonOptions& options) {
  std::error_code none;
  if (!std::filesystem::is_directory(options.data, none)) {
    fail(ErrorKind::input, "{}: no such data folder; 'wajah enrol' or 'wajah serve' makes one, --data names another",
         options.data);
  }
}

}  // namespace wajah::cli
