// Commands that have verbs of their own: wajah people list, wajah bench net.
#pragma once

#include "cli/command.hpp"

#include <span>
#include <string_view>

namespace wajah::cli {

// Runs the verb that stands first, or prints what there is for --help. Throws Error (usage) on none or an unknown one.
[[nodiscard]] int run_verb(std::string_view command, std::string_view about, std::span<const Command> verbs,
                           Arguments arguments);

}  // namespace wajah::cli
