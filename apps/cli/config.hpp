// Where the settings of `wajah serve` come from: flag, then environment, then wajah.toml, then the default.
#pragma once

#include "cli/options.hpp"
#include "server/config/settings.hpp"

#include <boost/json/array.hpp>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace wajah::cli {

// What the command line and the environment said, as text.
struct ConfigSources {
  std::map<std::string, std::string> flags;                     // by key of the setting: "tls.mode"
  std::map<std::string, std::string> flag_names;                // by key, where not the setting's own: "--day-start"
  std::map<std::string, std::string> environment;               // by name: "WAJAH_TLS"
  std::optional<std::filesystem::path> file;                    // --config; WAJAH_CONFIG stands for it
  std::filesystem::path system_file = "/etc/wajah/wajah.toml";  // read without --config, where it is there
};

struct Configuration {
  server::Settings settings;
  std::map<std::string, std::string> origins;  // by key, of those that are not the default: "flag --tls"
  std::vector<std::filesystem::path> files;    // that were read
};

// Throws Error (usage) that names flag, variable, or file and line, and says what was expected or may have been meant;
// Error (input) if a file cannot be read.
[[nodiscard]] Configuration load_configuration(const ConfigSources& sources);

// The process's variables whose names begin with WAJAH_.
[[nodiscard]] std::map<std::string, std::string> wajah_environment();

// --config and a flag for each setting, into `sources`.
void add_setting_flags(OptionSet& set, ConfigSources& sources);

// Every value with its origin, in wajah.toml's own form.
[[nodiscard]] std::string configuration_text(Configuration& configuration);

// The same as a list of {key, value, origin}.
[[nodiscard]] boost::json::array configuration_json(Configuration& configuration);

// The options that other commands share with serve.
[[nodiscard]] CommonOptions common_options_of(const server::Settings& settings);

}  // namespace wajah::cli
