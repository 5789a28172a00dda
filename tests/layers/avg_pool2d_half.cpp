#include <wajah/layers/avg_pool2d_half.hpp>

#include "half_maps.hpp"

namespace wajah {
namespace {

void check(Shape shape, Gaps gaps) {
  std::mt19937 random(static_cast<unsigned>(shape.size()));
  for (const Arithmetic format : word_formats) {
    const std::vector<float> numbers = random_words(format, random, shape.size());
    const Shape out = GlobalAvgPoolHalf::out(shape);
    GuardedMap expected(out, 0, Touch::first), y(out, gaps.y, Touch::last);
    global_avg_pool(Reference{}, GlobalAvgPoolArgs{{numbers.data(), shape}, expected.view()});
    on_emulated_cuda(
        [&](const auto& cuda) {
          HalfMap x(format, shape, gaps.x, Touch::first);
          x.fill(numbers);
          GlobalAvgPoolHalf().forward(cuda, x.view(), y.view(), Arena{});
          const std::string what = fmt::format("global_avg_pool_half {}x{}x{}x{} of {}", shape.n, shape.h, shape.w,
                                               shape.c, name_of_words(format));
          check_close(what, y.view(), expected.view(), {1e-6, 1e-6});
          CHECK_MESSAGE(y.gaps_untouched(), what << " wrote between the channels");
        },
        format);
  }
}

TEST_CASE("global_avg_pool_half: channels on and beside the vector width") {
  for (const int c : beside_vectors) {
    for (const Gaps gaps : every_gap) {
      check({3, 3, 3, c}, gaps);
      check({1, 1, 17, c}, gaps);
    }
  }
  static_assert(GlobalAvgPoolHalf::out({2, 3, 3, 1792}) == Shape{2, 1, 1, 1792});
}

}  // namespace
}  // namespace wajah
