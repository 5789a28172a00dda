#include <wajah/layers/max_pool2d_int8.hpp>

#include "compare.hpp"
#include "random_shapes.hpp"

namespace wajah {
namespace {

using Bytes = GuardedMapOf<std::uint8_t>;

TEST_CASE("max_pool2d_int8: as the definition says") {
  std::mt19937 random(9);
  for (const int channels : {1, 15, 16, 17, 63, 64, 65, 128}) {
    for (const Pad pad : {Pad::valid, Pad::same, Pad::half}) {
      const Shape shape{2, 7, 8, channels};
      const Window window{3, 3, 2};
      const Shape out{2, reach(7, 3, 2, pad).out, reach(8, 3, 2, pad).out, channels};
      Bytes x(shape, 3, Touch::last), expected(out, 0, Touch::first);
      x.fill(random);
      max_pool2d_int8(Reference{}, MaxPool2dInt8Args{x.view(), expected.view(), window, pad});
      const auto check = [&](const auto& device, const std::string& name) {
        Bytes y(out, 2, Touch::last);
        max_pool2d_int8(device, MaxPool2dInt8Args{x.view(), y.view(), window, pad});
        check_close(fmt::format("max_pool2d_int8 {} channels on {}", channels, name), y.view(), expected.view(),
                    {0, 0});
        CHECK(y.gaps_untouched());
      };
      for_each_cpu(check);
      on_emulated_cuda([&](const auto& cuda) { check(cuda, "its CUDA kernel"); });
    }
  }
}

TEST_CASE("max_pool2d_int8: random shapes") {
  Draw draw(13);
  for (int i = shapes_to_draw(); i > 0; --i) {
    const Shape x_is{draw.up_to(3), draw.up_to(20), draw.up_to(20), draw.up_to(150)};
    const Window window = draw.window(5);
    const Pad pad = draw.pad();
    const Shape y_is = windowed(x_is, window, pad);
    if (y_is.h < 1 || y_is.w < 1) continue;
    compare_on_map<std::uint8_t, std::uint8_t>("max_pool2d_int8", draw, x_is, y_is, {0, 0},
                                               [&](const auto& device, auto x, auto y) {
                                                 max_pool2d_int8(device, MaxPool2dInt8Args{x, y, window, pad});
                                               });
  }
}

}  // namespace
}  // namespace wajah
