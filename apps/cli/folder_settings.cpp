#include "cli/folder_settings.hpp"

#include "cli/config.hpp"

#include <string>

namespace wajah::cli {

server::Settings folder_settings(const CommonOptions& common, std::span<const OwnName> own) {
  ConfigSources sources;
  sources.environment = wajah_environment();
  if (!common.config.empty()) sources.file = common.config;
  const auto take = [&](std::string_view option, std::string_view key) {
    const auto found = common.given.find(std::string(option));
    if (found == common.given.end()) return;
    sources.flags.emplace(key, found->second);
    sources.flag_names.emplace(key, "--" + found->first);
  };
  for (const OwnName& name : own) take(name.option, name.key);
  server::Settings defaults;
  for (const server::Setting& setting : server::list_of(defaults)) take(setting.flag().substr(2), setting.key);
  return load_configuration(sources).settings;
}

void take_folder_settings(CommonOptions& common) {
  const server::Settings settings = folder_settings(common);
  const CommonOptions taken = common_options_of(settings);
  common.device = taken.device;
  common.threads = taken.threads;
  common.precision = taken.precision;
  common.gpu_memory_fraction = taken.gpu_memory_fraction;
  common.weights = taken.weights;
  common.mtcnn = taken.mtcnn;
  common.mirror = taken.mirror;
  common.data = taken.data;
  common.storage_key_file = taken.storage_key_file;
}

}  // namespace wajah::cli
