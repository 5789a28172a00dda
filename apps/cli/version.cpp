// wajah version: what this is and what it was built with.
#include "cli/commands.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "server/build_facts.hpp"

#include <boost/json.hpp>

namespace wajah::cli {
namespace {

int run(Arguments arguments) {
  CommonOptions common;
  OptionSet set(
      "version [--json]",
      "Prints the version, the commit and the compiler it was built from and with, and the instruction set in use.");
  set.common(common, {.json = true});
  if (!set.parse(arguments)) return exit_yes;
  const std::string_view isa = name_of(chosen_isa());
  const BuildFacts facts = build_facts();
  if (common.json) {
    print_json(boost::json::object{{"version", WAJAH_VERSION},
                                   {"git", facts.git.empty() ? boost::json::value(nullptr) : boost::json::value(facts.git)},
                                   {"build", facts.build},
                                   {"compiler", "g++ " __VERSION__},
                                   {"cuda", facts.cuda},
                                   {"isa", isa}});
  } else {
    fmt::print("wajah {}{}{} ({}, {}, {})\n", WAJAH_VERSION, facts.git.empty() ? "" : " ", facts.git, facts.build, isa,
               facts.cuda ? "with CUDA" : "without CUDA");
  }
  return exit_yes;
}

}  // namespace

const Command version_command{"version", "prints the version", run};

}  // namespace wajah::cli
