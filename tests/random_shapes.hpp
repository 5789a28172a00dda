// What every kernel's test of random shapes shares: how many to draw, drawing, and a comparison with the Reference
// device on every instruction set, with pages beside all memory that must not be read or written.
#pragma once

#include "check.hpp"
#include "reference.hpp"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <string>

namespace wajah {

// WAJAH_SHAPES=10000 draws as many for every kernel; without it `usual`, which takes a moment.
inline int shapes_to_draw(int usual = 60) {
  const char* wanted = std::getenv("WAJAH_SHAPES");
  return wanted != nullptr ? std::stoi(wanted) : usual;
}

class Draw {
 public:
  explicit Draw(unsigned seed) : random_(seed) {}

  int between(int least, int most) {
    return least + static_cast<int>(random_() % static_cast<unsigned>(most - least + 1));
  }
  int up_to(int most) { return between(1, most); }
  bool chance() { return random_() % 2 == 0; }
  template <class T>
  T one_of(std::initializer_list<T> choices) {
    return choices.begin()[random_() % choices.size()];
  }
  Touch touch() { return chance() ? Touch::first : Touch::last; }
  int gap() { return chance() ? 0 : up_to(7); }
  Pad pad() { return one_of({Pad::valid, Pad::same, Pad::half}); }
  Window window(int largest) { return {up_to(largest), up_to(largest), up_to(2)}; }
  // Of a depthwise layer, whose kernels know 3 x 3 by heart.
  Window depthwise_window() { return chance() ? Window{3, 3, up_to(2)} : window(7); }
  std::mt19937& random() { return random_; }

 private:
  std::mt19937 random_;
};

// Calls test(cpu, name) with every instruction set that this CPU has, each on as many threads as it happens.
void for_each_isa(Draw& draw, auto&& test) {
  for (const Isa isa : every_isa) {
    if (!has_isa(isa)) continue;
    const int threads = draw.one_of({1, 2, 5});
    test(Cpu(threads, isa), fmt::format("{} x{}", name_of(isa), threads));
  }
}

// A copy of packed weights that touches such a page.
class GuardedBytes {
 public:
  GuardedBytes(const void* from, std::size_t bytes, Touch touch) : map_({1, 1, 1, static_cast<int>(bytes)}, 0, touch) {
    std::copy_n(static_cast<const std::uint8_t*>(from), bytes, map_.view().data);
  }
  template <class T>
  [[nodiscard]] T* as() const {
    return reinterpret_cast<T*>(map_.view().data);
  }

 private:
  GuardedMapOf<std::uint8_t> map_;
};

inline GuardedBytes guarded(const Cpu&, const Buffer& packed, Touch touch) {
  return {packed.as<std::uint8_t>(), packed.size(), touch};
}
// Other devices' memory is their own business.
Buffer guarded(const auto&, Buffer& packed, Touch) { return std::move(packed); }

// Runs kernel(device, x, y) on a random map of numbers up to `scale`, or of bytes, and compares with what it does there
// on the Reference device.
template <class X, class Y>
void compare_on_map(const std::string& name, Draw& draw, Shape x_is, Shape y_is, Tolerance tolerance, auto&& kernel,
                    float scale = 1) {
  GuardedMapOf<X> x(x_is, draw.gap(), draw.touch());
  x.fill(draw.random(), scale);
  GuardedMapOf<Y> expected(y_is, 0, Touch::last);
  kernel(Reference{}, ConstView<X>(x.view()), expected.view());
  const int gap = draw.gap();
  const Touch touch = draw.touch();
  for_each_isa(draw, [&](const Cpu& cpu, const std::string& isa) {
    GuardedMapOf<Y> y(y_is, gap, touch);
    kernel(cpu, ConstView<X>(x.view()), y.view());
    const std::string what = fmt::format("{} {}x{}x{}x{} on {}", name, x_is.n, x_is.h, x_is.w, x_is.c, isa);
    check_close(what, y.view(), expected.view(), tolerance);
    CHECK_MESSAGE(y.gaps_untouched(), what << " wrote between the channels");
  });
}

// The output of a window over a map; of no pixels where the window does not fit.
inline Shape windowed(Shape x, Window window, Pad pad) {
  return {x.n, reach(x.h, window.h, window.stride, pad).out, reach(x.w, window.w, window.stride, pad).out, x.c};
}

}  // namespace wajah
