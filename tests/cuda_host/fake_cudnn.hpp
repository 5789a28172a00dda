// A cuDNN on the host: reads the descriptors it is given, refuses what cuDNN would, and computes the graph they
// describe number by number, at the addresses that their strides say.
#pragma once

#include <wajah/cudnn_driver.hpp>

namespace wajah {

[[nodiscard]] const CudnnDriver& fake_cudnn();

// What it does and did, for the calling test; every test begins with FakeCudnn() = {}.
struct FakeCudnn {
  bool refuses_whole = false;  // graphs of more than one operation
  bool refuses_all = false;
  int alive = 0;  // descriptors and handles
  int planned = 0, executed = 0;
  int last_engine = -1;  // of its engines below, the one that executed
};
// Engines it offers for every graph, in this order. Only the last two may ever be used.
enum FakeEngine : int { rounds_inputs, rounds_sums, not_repeatable, wants_too_much, tensor_cores, plain_engine };
[[nodiscard]] FakeCudnn& fake_cudnn_state();

}  // namespace wajah
