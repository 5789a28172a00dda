// What the tests of barriers, the TMA and products share: trials of one block, what they have in shared memory, and
// maps of which every number says where it is.
#pragma once

#include <vector>

#include "check.hpp"
#include "hopper.hpp"

namespace wajah::hopper_trial {

inline constexpr std::size_t room = 64 * 1024;

inline void run(unsigned threads, const std::function<void()>& body) {
  shim::launch({"trial", {}, {threads, 1, 1}, room, false, 1, true}, nullptr, body);
}

inline void check_says(const std::string& part, unsigned threads, const std::function<void()>& body) {
  std::string said = "no error";
  try {
    run(threads, body);
  } catch (const Error& error) {
    said = error.what();
  }
  CHECK_MESSAGE(said.find(part) != std::string::npos, "said: " << said << "; expected: " << part);
}

inline unsigned me() { return threadIdx.x; }
inline bool leads() { return me() % 32 == 0; }

// What every trial has in shared memory: barriers, and bytes that begin a swizzle's pattern.
struct Memory {
  explicit Memory(unsigned arrivals = 1, bool fenced = true, bool met = true) : Memory(Declared{}) {
    if (me() == 0) {
      for (int i = 0; i < 2; ++i) make_barrier(barriers + i, arrivals);
      if (fenced) fence_barriers();
    }
    if (met) __syncthreads();
  }

  Shared<unsigned char> bytes;
  Shared<Barrier> barriers;

 private:
  struct Declared {};
  explicit Memory(Declared) {
    WAJAH_DYNAMIC_SHARED(unsigned char, raw, room);
    WAJAH_SHARED(Barrier, both, 2);
    bytes = raw + (0U - shared_address(raw)) % 1024;
    barriers = both;
  }
};

// Maps of 16-bit numbers that say where they are.
struct Picture {
  Picture(int images, int height, int width, int channels, int stride)
      : n(images),
        h(height),
        w(width),
        c(channels),
        pitch(stride),
        words(static_cast<std::size_t>(images * height * width * stride) + 8, 0xFFFFU) {
    while (reinterpret_cast<std::uintptr_t>(words.data() + gap) % 16 != 0) ++gap;
    for (int p = 0; p < n * h * w; ++p) {
      for (int i = 0; i < c; ++i) at(p)[i] = number(p, i);
    }
  }
  static std::uint16_t number(int pixel, int channel) { return static_cast<std::uint16_t>(pixel * 128 + channel + 1); }
  [[nodiscard]] std::uint16_t* at(int pixel) { return words.data() + gap + pixel * pitch; }

  // Zero where there is none.
  [[nodiscard]] std::uint16_t expected(int image, int y, int x, int channel) const {
    const bool inside = image < n && y >= 0 && y < h && x >= 0 && x < w && channel < c;
    return inside ? number((image * h + y) * w + x, channel) : 0;
  }

  [[nodiscard]] TensorMapPlan plan() {
    TensorMapPlan p;
    p.data = at(0);
    p.dimensions = 4;
    const int size[] = {c, w, h, n};
    for (int i = 0; i < 4; ++i) p.size[i] = static_cast<std::uint64_t>(size[i]);
    p.stride_bytes[0] = static_cast<std::uint64_t>(pitch) * 2;
    p.stride_bytes[1] = p.stride_bytes[0] * p.size[1];
    p.stride_bytes[2] = p.stride_bytes[1] * p.size[2];
    return p;
  }
  // Windows of h x w places from (top, left) on, `step` apart.
  [[nodiscard]] TensorMapPlan windows(int high, int wide, int top, int left, int step, unsigned pixels) {
    TensorMapPlan p = plan();
    p.kind = TensorMapPlan::Kind::windows;
    p.first[0] = left, p.first[1] = top;
    p.last[0] = left + (wide - 1) * step - (w - 1), p.last[1] = top + (high - 1) * step - (h - 1);
    p.step = static_cast<std::uint32_t>(step);
    p.channels = 64;
    p.pixels = pixels;
    return p;
  }

  int n, h, w, c, pitch, gap = 0;
  std::vector<std::uint16_t> words;
};

inline TensorMap made(const TensorMapPlan& plan) {
  TensorMap map{};
  const int error = shim::make_host_tensor_map(&map, plan);
  REQUIRE_MESSAGE(error == 0, shim::why_not_map(plan));
  return map;
}

// Word i of row `row` of what the TMA brought, by the swizzle's definition.
inline unsigned word_at(Shared<unsigned char> bytes, int row, int i) {
  const int byte = row * 128 + ((i / 8) ^ row % 8) * 16 + i % 8 * 2;
  return shared_cast<std::uint16_t>(bytes)[byte / 2];
}

}  // namespace wajah::hopper_trial
