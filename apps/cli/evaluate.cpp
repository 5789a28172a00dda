// wajah evaluate: how well people are told apart, on a folder of photos.
#include "cli/commands.hpp"
#include "cli/evaluate_verbs.hpp"
#include "cli/verbs.hpp"

#include <array>

namespace wajah::cli {
namespace {

int run(Arguments arguments) {
  static constexpr std::array verbs{
      Command{"pairs", "verifies pairs of photos, LFW's way", evaluate_pairs},
      Command{"gallery", "enrols people and recognises them among strangers", evaluate_gallery},
      Command{"table", "the original's rule beside wajah's, for galleries of several sizes", evaluate_table}};
  return run_verb("evaluate", "Measures accuracy on a folder of photos.", verbs, arguments);
}

}  // namespace

const Command evaluate_command{"evaluate", "measures accuracy on a folder of photos", run};

}  // namespace wajah::cli
