// wajah enrol --check: what the checks say about photos, without enrolling anybody.
#pragma once

#include "cli/options.hpp"
#include "server/config/settings.hpp"

#include <string>
#include <vector>

namespace wajah::cli {

// Every photo's verdict and measures, one line each, folders with all that is below them; then how many were refused
// for which reason. Exit status: yes if all can be used, no if one cannot, input if one is no picture.
[[nodiscard]] int check_photos(const CommonOptions& common, const std::vector<std::string>& photos,
                               const server::Settings& settings);

}  // namespace wajah::cli
