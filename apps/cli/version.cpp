// wajah version: what this is and what it was built with.
#include "cli/commands.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"

#include <boost/json.hpp>

namespace wajah::cli {
namespace {

int run(Arguments arguments) {
  CommonOptions common;
  OptionSet set("version [--json]", "Prints the version, the compiler, and the instruction set in use.");
  set.common(common, {.json = true});
  if (!set.parse(arguments)) return exit_yes;
  const std::string_view isa = name_of(chosen_isa());
  if (common.json) {
    print_json(boost::json::object{{"version", WAJAH_VERSION}, {"compiler", "g++ " __VERSION__}, {"isa", isa}});
  } else {
    fmt::print("wajah {} (g++ {}, {})\n", WAJAH_VERSION, __VERSION__, isa);
  }
  return exit_yes;
}

}  // namespace

const Command version_command{"version", "prints the version", run};

}  // namespace wajah::cli
