#include <wajah/layers/quantise.hpp>

#include "compare.hpp"
#include "random_shapes.hpp"

namespace wajah {
namespace {

using Bytes = GuardedMapOf<std::uint8_t>;

TEST_CASE("quantisation_of: zero is a step, and a range of nothing is one too") {
  CHECK(quantisation_of({0, 2.55F}).scale == doctest::Approx(0.01));
  CHECK(quantisation_of({0, 2.55F}).zero_point == 0);
  CHECK(quantisation_of({0.5F, 2.55F}).zero_point == 0);
  CHECK(quantisation_of({-1.0F, 1.55F}).zero_point == 100);
  CHECK(quantisation_of({-2.0F, -1.0F}).zero_point == 255);
  CHECK(quantisation_of({0, 0}).scale > 0);
  CHECK(quantisation_of({-0.27F, 1.0F}, 127).scale == doctest::Approx(0.01));
  CHECK(quantisation_of({-0.27F, 1.0F}, 127).zero_point == 27);
  CHECK(quantisation_of({-0.27F, 1.0F}, 127).largest == 127);
}

TEST_CASE("quantise: rounds, clamps, and leaves gaps alone") {
  std::mt19937 random(8);
  for (const int channels : beside_vectors) {
    for (const Gaps gaps : every_gap) {
      for (const Quantisation to :
           {Quantisation{0.25F, 0}, Quantisation{0.015625F, 128}, Quantisation{0.03125F, 64, 127}}) {
        const Shape shape{2, 3, 5, channels};
        GuardedMap x(shape, gaps.x, Touch::last);
        x.fill(random, 3);
        x.view().data[0] = 0.375F;  // half way between steps
        Bytes expected(shape, 0, Touch::last);
        quantise(Reference{}, QuantiseArgs{x.view(), expected.view(), to});
        const auto check = [&](const auto& device, const std::string& name) {
          Bytes y(shape, gaps.y, Touch::last);
          quantise(device, QuantiseArgs{x.view(), y.view(), to});
          check_close(fmt::format("quantise {} channels on {}", channels, name), y.view(), expected.view(), {0, 0});
          CHECK(y.gaps_untouched());
        };
        for_each_cpu(check);
        on_emulated_cuda([&](const auto& cuda) { check(cuda, "its CUDA kernel"); });
      }
    }
  }
}

// Half a step away at most, but for rounding of the number that stands for it.
TEST_CASE("quantise: random shapes") {
  Draw draw(12);
  for (int i = shapes_to_draw(); i > 0; --i) {
    const Shape shape{draw.up_to(3), draw.up_to(9), draw.up_to(9), draw.up_to(150)};
    Quantisation to{0.001F * static_cast<float>(draw.up_to(40)), 0, draw.one_of({127, 255})};
    to.zero_point = draw.between(0, to.largest);
    GuardedMap x(shape, draw.gap(), draw.touch());
    x.fill(draw.random());
    const int gap = draw.gap();
    const Touch touch = draw.touch();
    for_each_isa(draw, [&](const Cpu& cpu, const std::string& isa) {
      Bytes y(shape, gap, touch);
      quantise(cpu, QuantiseArgs{x.view(), y.view(), to});
      const auto at = [&](auto view, std::size_t k) -> double {
        const auto n = static_cast<std::ptrdiff_t>(k);
        return view.data[n / shape.c * view.stride + n % shape.c];
      };
      check_close(
          fmt::format("quantise {} numbers on {}", shape.size(), isa), shape.size(),
          [&](std::size_t k) { return at(y.view(), k); },
          [&](std::size_t k) {
            return std::clamp(at(x.view(), k) / double{to.scale} + to.zero_point, 0.0, double(to.largest));
          },
          {0.5001, 0}, [](std::size_t k) { return std::to_string(k); });
      CHECK_MESSAGE(y.gaps_untouched(), "quantise on " << isa << " wrote between the channels");
    });
  }
}

}  // namespace
}  // namespace wajah
