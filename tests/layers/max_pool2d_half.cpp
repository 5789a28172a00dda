#include <wajah/layers/max_pool2d_half.hpp>

#include "half_maps.hpp"

namespace wajah {
namespace {

template <Window W, Pad P>
void check(const std::vector<float>& numbers, Arithmetic format, Shape shape, Gaps gaps) {
  using Layer = MaxPool2dHalf<W, P>;
  const Shape out = Layer::out(shape);
  std::vector<float> expected(out.size());
  max_pool2d(Reference{}, MaxPool2dArgs{{numbers.data(), shape}, {expected.data(), out}, W, P});
  on_emulated_cuda(
      [&](const auto& cuda) {
        HalfMap x(format, shape, gaps.x, Touch::last), y(format, out, gaps.y, Touch::first);
        x.fill(numbers);
        Layer().forward(cuda, x.view(), y.view(), Arena{});
        const std::string what = fmt::format("max_pool2d_half {}x{}x{}x{}, {}x{}/{}, of {}", shape.n, shape.h, shape.w,
                                             shape.c, W.h, W.w, W.stride, name_of_words(format));
        check_close(what, y.values(), expected, {});
        CHECK_MESSAGE(y.gaps_untouched(), what << " wrote between the channels");
      },
      format);
}

template <Window W, Pad P>
void check(Shape shape, Gaps gaps = {}) {
  std::mt19937 random(static_cast<unsigned>(shape.size()));
  for (const Arithmetic format : word_formats) {
    check<W, P>(random_words(format, random, shape.size(), 100), format, shape, gaps);
  }
}

TEST_CASE("max_pool2d_half: channels on and beside the vector width") {
  for (const int c : beside_vectors) {
    for (const Gaps gaps : {Gaps{0, 0}, {3, 0}, {0, 5}, {8, 16}}) check<Window{2, 2, 2}, Pad::same>({2, 5, 7, c}, gaps);
  }
}

TEST_CASE("max_pool2d_half: maps, windows and padding") {
  for (int side = 1; side <= 17; ++side) {
    for (const int other : {3, 8, 11}) {
      const Shape x{2, side, other, 16};
      check<Window{3, 3, 2}, Pad::same>(x);
      check<Window{3, 3, 1}, Pad::half>(x);
      check<Window{2, 4, 1}, Pad::same>(x);
      if (side >= 3) check<Window{3, 3, 2}, Pad::valid>(x);
    }
  }
}

TEST_CASE("max_pool2d_half: signs, zeros, the smallest and the largest, and padding never wins") {
  for (const Arithmetic format : word_formats) {
    const float tiny = format == Arithmetic::fp16 ? 0x1p-24F : 0x1p-133F;
    const float huge = format == Arithmetic::fp16 ? 65504.0F : 0x1.FEp127F;
    const std::vector<float> some{-huge, -tiny, -1.0F, -0.5F, 0.0F, tiny, huge, 2.0F};
    for (std::size_t i = 0; i < some.size(); ++i) {
      for (const float other : some) {
        check<Window{1, 2}, Pad::valid>({some[i], other}, format, {1, 1, 2, 1}, {});
        std::vector<float> wide(16, other);
        wide[i % 8] = some[i];
        check<Window{1, 2}, Pad::valid>(wide, format, {1, 1, 2, 8}, {});
      }
    }
    check<Window{3, 3, 2}, Pad::same>(std::vector<float>(9, -5.0F), format, {1, 3, 3, 1}, {});
  }
}

}  // namespace
}  // namespace wajah
