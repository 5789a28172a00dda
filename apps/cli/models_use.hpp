// wajah models use: from now on, which weights a data folder is used with.
#pragma once

#include "cli/command.hpp"

namespace wajah::cli {

[[nodiscard]] int use_model(Arguments arguments);

}  // namespace wajah::cli
