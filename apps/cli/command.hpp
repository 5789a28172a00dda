// Command: one verb of `wajah`, one file each. main.cpp holds the only list of them.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace wajah::cli {

using Arguments = std::span<const std::string>;  // what follows the verb

// Exit statuses that scripts rely on. What is thrown as wajah::Error becomes 2 (usage), 3 (input, storage), 4 (model)
// or 5 (device) in main.cpp; a command itself returns one of these.
inline constexpr int exit_yes = 0, exit_no = 1, exit_usage = 2, exit_input = 3, exit_model = 4, exit_device = 5;

struct Command {
  std::string_view name, summary;
  int (*run)(Arguments arguments);
};

}  // namespace wajah::cli
