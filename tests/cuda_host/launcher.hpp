// Launches a kernel on the host: its blocks spread over host threads, each with an Executor; or, while a stream
// records, keeps it for later.
#pragma once

#include <functional>
#include <vector>

#include "executor.hpp"

namespace wajah::shim {

// What Launch::stream points to on the emulated device. null: run at once.
struct Stream {
  bool recording = false;
  std::vector<std::function<void()>> recorded;
};

// Runs every thread of every block, or records that. Checks what a card would refuse. Throws Error (device) as a card
// would have gone wrong: naming the kernel, the first block and thread, and why.
void launch(const LaunchShape& shape, void* stream, const std::function<void()>& body);

}  // namespace wajah::shim
