// The settings of a data folder for commands that work on it without a server, so that what an operator has set once
// holds for whoever enrols from a shell as well.
#pragma once

#include "cli/options.hpp"
#include "server/config/settings.hpp"

#include <span>
#include <string_view>

namespace wajah::cli {

// A setting that a command has under a name of its own: {"keep-photos", "privacy.keep_originals"}.
struct OwnName {
  std::string_view option, key;
};

// As `wajah serve` would have them: the options in `common.given` that are settings by their flags or by `own`, then
// the environment, then wajah.toml, then the defaults. Throws as load_configuration.
[[nodiscard]] server::Settings folder_settings(const CommonOptions& common, std::span<const OwnName> own = {});

// Those that are common options, into these. Throws as load_configuration.
void take_folder_settings(CommonOptions& common);

}  // namespace wajah::cli
