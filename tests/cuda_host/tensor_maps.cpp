// The TMA on the host: what it brings, and that each way to misuse it is found out.
#include <array>

#include "hopper_trial.hpp"

namespace wajah {
namespace {

using namespace hopper_trial;

TEST_CASE("cuda host: the TMA brings windows' pixels under a tap, over rows and images, with zeros outside") {
  Picture picture(2, 5, 7, 40, 48);
  for (const int step : {1, 2, 3}) {
    for (const int before : {0, 1, 2}) {
      const int high = (5 + 2 * before - 3) / step + 1, wide = (7 + 2 * before - 3) / step + 1;
      const TensorMap map = made(picture.windows(high, wide, -before, -before, step, 128));
      for (const int first : {0, 1, wide, high * wide - 1}) {
        run(32, [&] {
          const Memory memory;
          const int v = 2, u = 1, channel = 8;
          if (me() == 0) {
            arrive_expecting(memory.barriers, 128 * 128);
            const int x = first % wide * step - before, y = first / wide % high * step - before;
            fetch_windows(memory.bytes, map, memory.barriers, channel, x, y, first / wide / high, u, v);
          }
          wait_for_phase(memory.barriers, 0);
          int wrong = 0;
          for (int p = static_cast<int>(me()); p < 128; p += 32) {
            const int at = first + p, x = at % wide * step - before + u, y = at / wide % high * step - before + v;
            for (int i = 0; i < 64; ++i) {
              wrong += word_at(memory.bytes, p, i) != picture.expected(at / wide / high, y, x, channel + i) ? 1 : 0;
            }
          }
          CHECK_MESSAGE(wrong == 0, "step " << step << ", padding " << before << ", from window " << first);
        });
      }
    }
  }
}

// "im2col mode", example 1: of 9 x 14 pixels with corners -1, 64 windows from (7, 4) on reach the end of row 11.
TEST_CASE("cuda host: the PTX ISA's example of windows") {
  Picture picture(1, 14, 9, 64, 64);
  TensorMapPlan plan = picture.windows(1, 1, 0, 0, 1, 64);
  for (int i = 0; i < 2; ++i) plan.first[i] = plan.last[i] = -1;
  const TensorMap map = made(plan);
  run(32, [&] {
    const Memory memory;
    if (me() == 0) {
      arrive_expecting(memory.barriers, 64 * 128);
      fetch_windows(memory.bytes, map, memory.barriers, 0, 7, 4, 0, 0, 0);
    }
    wait_for_phase(memory.barriers, 0);
    CHECK(word_at(memory.bytes, 0, 0) == picture.expected(0, 4, 7, 0));
    for (int p = 1; p < 64; ++p) {
      const int x = (p - 1) % 9 - 1, y = (p - 1) / 9 + 5;
      CHECK(word_at(memory.bytes, p, 5) == picture.expected(0, y, x, 5));
    }
  });
}

TEST_CASE("cuda host: the TMA brings boxes, with zeros outside") {
  Picture picture(3, 5, 4, 72, 72);
  TensorMapPlan plan = picture.plan();
  plan.dimensions = 3;
  plan.box[0] = 64, plan.box[1] = 8, plan.box[2] = 2;
  const TensorMap map = made(plan);
  for (const auto& [x, y, z] : {std::array{0, 0, 0}, {64, 2, 4}, {8, -3, -1}, {0, 4, 9}}) {
    run(32, [&, x = x, y = y, z = z] {
      const Memory memory;
      if (me() == 0) {
        arrive_expecting(memory.barriers, 16 * 128);
        fetch_tiles(memory.bytes, map, memory.barriers, x, y, z);
      }
      wait_for_phase(memory.barriers, 0);
      const int row = static_cast<int>(me()) % 16;
      for (int i = 0; i < 64; ++i) {
        CHECK(word_at(memory.bytes, row, i) == picture.expected(0, z + row / 8, y + row % 8, x + i));
      }
    });
  }
}

TEST_CASE("cuda host: what a driver refuses of a tensor map") {
  Picture picture(1, 5, 7, 40, 48);
  const auto refuses = [&](const std::string& part, auto&& change) {
    TensorMapPlan plan = picture.windows(3, 5, 0, 0, 1, 128);
    change(plan);
    TensorMap map{};
    CHECK(shim::make_host_tensor_map(&map, plan) != 0);
    CHECK_MESSAGE(shim::why_not_map(plan).find(part) != std::string::npos, shim::why_not_map(plan));
  };
  refuses("address not divisible by 16", [&](auto& plan) { plan.data = picture.at(0) + 4; });
  refuses("a stride of 90 bytes", [](auto& plan) { plan.stride_bytes[0] = 90; });
  refuses("a dimension of 0", [](auto& plan) { plan.size[3] = 0; });
  refuses("expected -128 to 127", [](auto& plan) { plan.first[1] = -129; });
  refuses("without area", [](auto& plan) { plan.last[0] = -7; });
  refuses("step 9", [](auto& plan) { plan.step = 9; });
  refuses("1025 pixels", [](auto& plan) { plan.pixels = 1025; });
  refuses("72 channels, expected 128 bytes", [](auto& plan) { plan.channels = 72; });
  refuses("a box of 512", [](auto& plan) {
    plan.kind = TensorMapPlan::Kind::tiles;
    for (auto& side : plan.box) side = 64;
    plan.box[1] = 512;
  });
}

TEST_CASE("cuda host: misuse of the TMA") {
  Picture picture(1, 5, 7, 64, 64);
  const TensorMap map = made(picture.windows(3, 5, 0, 0, 1, 8));
  const auto fetch = [&](const Memory& memory, int at = 0) {
    arrive_expecting(memory.barriers, 8 * 128);
    fetch_windows(memory.bytes + at, map, memory.barriers, 0, 0, 0, 0, 0, 0);
  };
  const auto first = [&](const Memory& memory) { return shared_cast<std::uint16_t>(memory.bytes)[0] != 1; };
  check_says("a barrier that its maker has not fenced", 32, [&] {
    const Memory memory(1, false);
    if (me() == 0) fetch(memory);
  });
  check_says("where bytes that the TMA brings have not arrived", 32, [&] {
    const Memory memory;
    if (me() == 0) fetch(memory);
    __syncthreads();
    if (first(memory)) return;
  });
  check_says("by a warp that has not waited for its barrier", 64, [&] {
    const Memory memory;
    if (me() == 0) {
      fetch(memory, 1024);
      arrive_expecting(memory.barriers + 1, 8 * 128);
      fetch_windows(memory.bytes, map, memory.barriers + 1, 0, 0, 0, 0, 0, 0);
    }
    wait_for_phase(memory.barriers, 0);  // the newer bytes have arrived by then, but another barrier tells of them
    if (first(memory)) return;
  });
  check_says("which thread 40 read with no barrier in between", 64, [&] {
    const Memory memory;
    if (me() == 0) fetch(memory);
    wait_for_phase(memory.barriers, 0);
    if (me() == 40 && first(memory)) return;
    if (me() == 62) fetch(memory);
  });
  check_says("wrote with no fence_async after it", 32, [&] {
    const Memory memory;
    shared_cast<std::uint16_t>(memory.bytes)[static_cast<int>(me()) * 2] = 0;
    __syncthreads();
    if (me() == 0) fetch(memory);
  });
  check_says("the block has ended with bytes of the TMA on their way", 32, [&] {
    const Memory memory;
    if (me() == 0) fetch(memory);
  });
  check_says("0 of 1 arrivals and 64 bytes missing", 32, [&] {
    const Memory memory;
    if (me() == 0) arrive_expecting(memory.barriers, 8 * 128 + 64);
    if (me() == 0) fetch_windows(memory.bytes, map, memory.barriers, 0, 0, 0, 0, 0, 0);
    wait_for_phase(memory.barriers, 0);
  });
  const auto refused = [&](const std::string& part, auto&& call) {
    check_says(part, 32, [&] {
      const Memory memory;
      if (me() == 0) call(memory);
    });
  };
  refused("an address not divisible by 1024", [&](const Memory& memory) { fetch(memory, 128); });
  refused("1024 bytes at byte", [&](const Memory& memory) { fetch(memory, room - 1024); });
  refused("something that is no tensor map", [&](const Memory& memory) {
    const TensorMap none{};
    fetch_windows(memory.bytes, none, memory.barriers, 0, 0, 0, 0, 0, 0);
  });
  refused("a window at 5, outside of 0 to 4",
          [&](const Memory& memory) { fetch_windows(memory.bytes, map, memory.barriers, 0, 5, 0, 0, 0, 0); });
  refused("tap 256",
          [&](const Memory& memory) { fetch_windows(memory.bytes, map, memory.barriers, 0, 0, 0, 0, 256, 0); });
  refused("3 coordinates for a tensor of 4",
          [&](const Memory& memory) { fetch_tiles(memory.bytes, map, memory.barriers, 0, 0, 0); });
}

}  // namespace
}  // namespace wajah
