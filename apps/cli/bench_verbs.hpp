// The verbs of wajah bench that have a file of their own.
#pragma once

#include "cli/command.hpp"

namespace wajah::cli {

[[nodiscard]] int bench_svm(Arguments arguments);
[[nodiscard]] int bench_search(Arguments arguments);
[[nodiscard]] int bench_recognise(Arguments arguments);

}  // namespace wajah::cli
