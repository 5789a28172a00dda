#include <wajah/layers/softmax.hpp>

#include "compare.hpp"
#include "random_shapes.hpp"

namespace wajah {
namespace {

TEST_CASE("softmax: classes and pixels on and beside the vector width") {
  for (const int c : beside_vectors) {
    for (const int pixels : {1, 3, 15, 16, 17, 33}) {
      const Gaps gaps = every_gap[static_cast<std::size_t>(c + pixels) % 4];
      compare<Softmax>("Softmax", {}, {2, 1, pixels, c}, {1e-7, 1e-6}, gaps);
      compare<Softmax>("Softmax of large numbers", {}, {1, 1, pixels, c}, {1e-7, 1e-5}, gaps, 200);
    }
  }
}

TEST_CASE("softmax: random shapes") {
  Draw draw(1);
  for (int i = shapes_to_draw(); i > 0; --i) {
    const Shape shape{draw.up_to(3), draw.up_to(9), draw.up_to(20), draw.up_to(70)};
    compare_on_map<float, float>(
        "softmax", draw, shape, shape, {1e-7, 1e-5},
        [&](const auto& device, auto x, auto y) {
          softmax(device, SoftmaxArgs{x, y});
        },
        static_cast<float>(draw.up_to(200)));
  }
}

TEST_CASE("softmax: in place, and where the exponential alone would overflow") {
  for_each_cpu([&](const Cpu& cpu, const std::string& name) {
    std::vector<float> x{1000, 1001, -1000, 1000, 0, 0};
    const View<float> view(x.data(), {3, 1, 1, 2});
    Softmax().forward(cpu, view, view, Arena{});
    const float small = 0.268941421F;
    check_close(name, x, std::vector<float>{small, 1 - small, 0, 1, 0.5F, 0.5F}, {1e-7, 0});
  });
}

}  // namespace
}  // namespace wajah
