#include "cli/verbs.hpp"

#include "cli/suggest.hpp"

#include <wajah/error.hpp>
#include <wajah/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

namespace wajah::cli {

int run_verb(std::string_view command, std::string_view about, std::span<const Command> verbs, Arguments arguments) {
  std::vector<std::string_view> names;
  for (const Command& verb : verbs) names.push_back(verb.name);
  if (arguments.empty()) {
    fail(ErrorKind::usage, "say what: {}; 'wajah {} --help' tells more", fmt::join(names, ", "), command);
  }
  if (arguments[0] == "--help" || arguments[0] == "-h") {
    fmt::print("Usage: wajah {} VERB [options] ...\n\n{}\n\n", command, about);
    const std::size_t width = std::ranges::max(names, {}, &std::string_view::size).size() + 2;
    for (const Command& verb : verbs) fmt::print("  {:<{}}{}\n", verb.name, width, verb.summary);
    fmt::print("\nwajah {} VERB --help tells more about each.\n", command);
    return exit_yes;
  }
  const auto found = std::ranges::find(verbs, arguments[0], &Command::name);
  if (found != verbs.end()) return found->run(arguments.subspan(1));
  fail(ErrorKind::usage, "unknown verb {}, expected {}{}", quote(arguments[0]), fmt::join(names, ", "),
       suggestion(arguments[0], names));
}

}  // namespace wajah::cli
