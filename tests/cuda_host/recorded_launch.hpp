// RecordedLaunch: what a stream that records keeps of a launch, as the function that does it later
// (Stream::recorded; std::function::target gives it back).
#pragma once

#include <functional>

#include "executor.hpp"

namespace wajah::shim {

struct RecordedLaunch {
  LaunchShape shape;
  std::function<void()> body;

  void operator()() const;
};

}  // namespace wajah::shim
