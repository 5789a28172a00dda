// wajah models quantise: measures on photos what int8 needs to know and writes it into a file of weights.
#pragma once

#include "cli/command.hpp"

namespace wajah::cli {

[[nodiscard]] int quantise_model(Arguments arguments);

}  // namespace wajah::cli
