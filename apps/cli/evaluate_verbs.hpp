// The verbs of wajah evaluate, one file each.
#pragma once

#include "cli/command.hpp"

namespace wajah::cli {

[[nodiscard]] int evaluate_pairs(Arguments arguments);
[[nodiscard]] int evaluate_gallery(Arguments arguments);
[[nodiscard]] int evaluate_table(Arguments arguments);

}  // namespace wajah::cli
