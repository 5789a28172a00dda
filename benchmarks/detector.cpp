// What finds places that may be faces: making the pyramid's levels, and P-Net's scan over them.
#include "cli/layer_work.hpp"
#include "harness.hpp"

#include <wajah/detect/resize.hpp>
#include <wajah/detect/scan_pnet.hpp>
#include <wajah/image.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace wajah::benchmarks {
namespace {

Image noise(int width, int height) {
  Image image(width, height);
  const auto bytes = cli::random_input<std::uint8_t>({1, height, width, 3});
  std::ranges::copy(bytes, image.pixels.begin());
  return image;
}

void resize_area(benchmark::State& state) {
  const Image image = noise(1920, 1080);
  const int width = 1920 * static_cast<int>(state.range(0)) / 100,
            height = 1080 * static_cast<int>(state.range(0)) / 100;
  AreaResizer resizer(Cpu(1, chosen_isa()));
  std::vector<float> y(Shape{1, height, width, 3}.size());
  for ([[maybe_unused]] auto _ : state) resizer.rows(image, width, height, 0, {y.data(), {1, height, width, 3}});
  state.SetItemsProcessed(state.iterations() * 1920 * 1080);
}
BENCHMARK(resize_area)->Name("detector/resize_area/percent")->Arg(60)->Arg(43)->Arg(15)->UseRealTime();

// A strip of a level in which no place is taken for a face, as in nearly all of a photo.
void scan(benchmark::State& state) {
  const Shape shape{1, static_cast<int>(state.range(1)), static_cast<int>(state.range(0)), 4};
  const auto weights = load_pnet_weights(cli::random_mtcnn().scope("pnet"));
  const auto bytes = cli::random_input<std::uint8_t>(shape);
  std::vector<PNetHit> hits(static_cast<std::size_t>(pnet_outputs(shape.w)) *
                            static_cast<std::size_t>(pnet_outputs(shape.h)));
  const std::ptrdiff_t floats = scan_pnet_scratch(shape.w, shape.h);
  std::vector<float> scratch(static_cast<std::size_t>(floats));
  const Cpu cpu(1, chosen_isa());
  for ([[maybe_unused]] auto _ : state) {
    int next = 0;
    PNetStrip strip{{bytes.data(), shape}, 0, hits.data()};
    scan_pnet(cpu, {weights.get(), nullptr, &strip, 1, &next, HUGE_VALF, scratch.data(), floats});
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(hits.size()));
}
BENCHMARK(scan)
    ->Name("detector/scan_pnet")
    ->ArgNames({"width", "height"})
    ->Args({640, 60})
    ->Args({100, 60})
    ->UseRealTime();

}  // namespace
}  // namespace wajah::benchmarks
