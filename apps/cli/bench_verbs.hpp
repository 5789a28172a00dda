// The verbs of wajah bench that have a file of their own.
#pragma once

#include "cli/command.hpp"
#include "cli/options.hpp"

#include <string>
#include <vector>

namespace wajah::cli {

[[nodiscard]] int bench_svm(Arguments arguments);
[[nodiscard]] int bench_search(Arguments arguments);
[[nodiscard]] int bench_gallery(Arguments arguments);
[[nodiscard]] int bench_recognise(Arguments arguments);
[[nodiscard]] int bench_detect(Arguments arguments);
[[nodiscard]] int bench_check(Arguments arguments);

// What bench net does on a card only.
struct CardOptions {
  std::string conv = "own", input = "host";
  bool kernels = false;
};
// Throws Error (usage) on what is none of the options' words, or needs a card, or does not go together.
void check_card_options(const CardOptions& options, bool on_card);

// Times a network of bench net on the card that common.device names, each batch in turn.
void bench_net_on_cuda(const std::string& net, const CommonOptions& common, const CardOptions& card,
                       const std::vector<int>& batches, double seconds);

}  // namespace wajah::cli
