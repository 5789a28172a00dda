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

// Times a network of bench net on the card that common.device names, each batch in turn, with convolutions as
// --cuda-conv says.
void bench_net_on_cuda(const std::string& net, const CommonOptions& common, const std::string& cuda_conv,
                       const std::vector<int>& batches, double seconds);

}  // namespace wajah::cli
