// A layer on every instruction set, and by its CUDA kernel's source, against the same layer on the Reference device.
#pragma once

#ifdef WAJAH_CUDA_HOST
#include "cuda_host/emulated_cuda.hpp"
#endif
#include "check.hpp"
#include "reference.hpp"

#include <vector>

namespace wajah {

inline std::vector<float> random_numbers(std::mt19937& random, std::size_t count, float scale) {
  std::uniform_real_distribution<float> number(-scale, scale);
  std::vector<float> values(count);
  for (float& value : values) value = number(random);
  return values;
}

struct Gaps {
  int x = 0, y = 0;  // numbers between the channels of one pixel and the next
};

#ifdef WAJAH_CUDA_HOST
inline const EmulatedCuda& emulated_cuda(Arithmetic arithmetic) {
  static const EmulatedCuda cudas[arithmetics] = {EmulatedCuda(Arithmetic::fp32), EmulatedCuda(Arithmetic::tf32),
                                                  EmulatedCuda(Arithmetic::fp16), EmulatedCuda(Arithmetic::bf16),
                                                  EmulatedCuda(Arithmetic::int8)};
  return cudas[static_cast<std::size_t>(arithmetic)];
}
#endif

// Calls test(device) with the host as a CUDA card; it passes when the operation has no file in kernels/cuda.
void on_emulated_cuda([[maybe_unused]] auto&& test, [[maybe_unused]] Arithmetic arithmetic = Arithmetic::fp32) {
#ifdef WAJAH_CUDA_HOST
  try {
    test(emulated_cuda(arithmetic));
  } catch (const NoCudaKernel&) {
  }
#endif
}

// Loads Layer with `weights` for each device and runs it on random numbers of up to `scale`, between guard pages.
template <class Layer>
void compare(const std::string& name, const Weights& weights, Shape shape, Tolerance tolerance, Gaps gaps = {},
             float scale = 1) {
  std::mt19937 random(static_cast<unsigned>(shape.size()));
  const auto touch = random() % 2 == 0 ? GuardedMap::Touch::first : GuardedMap::Touch::last;
  GuardedMap x(shape, gaps.x, touch);
  x.fill(random, scale);
  Layer reference;
  reference.load(Reference{}, weights);
  GuardedMap expected(Layer::out(shape), 0, touch);
  reference.forward(Reference{}, x.view(), expected.view(), Arena{});
  for_each_cpu([&](const Cpu& cpu, const std::string& isa) {
    Layer layer;
    layer.load(cpu, weights);
    GuardedMap y(Layer::out(shape), gaps.y, touch);
    layer.forward(cpu, x.view(), y.view(), Arena{});
    const std::string what = fmt::format("{} {}x{}x{}x{} on {}", name, shape.n, shape.h, shape.w, shape.c, isa);
    check_close(what, y.view(), expected.view(), tolerance);
    CHECK_MESSAGE(y.gaps_untouched(), what << " wrote between the channels");
  });
  on_emulated_cuda([&](const auto& cuda) {
    Layer layer;
    layer.load(cuda, weights);
    GuardedMap y(Layer::out(shape), gaps.y, touch);
    layer.forward(cuda, x.view(), y.view(), Arena{});
    const std::string what = fmt::format("{} {}x{}x{}x{} by its CUDA kernel", name, shape.n, shape.h, shape.w, shape.c);
    check_close(what, y.view(), expected.view(), tolerance);
    CHECK_MESSAGE(y.gaps_untouched(), what << " wrote between the channels");
  });
}

inline constexpr int beside_vectors[] = {1, 2, 12, 13, 15, 16, 17, 31, 127, 128};
inline constexpr Gaps every_gap[] = {{0, 0}, {3, 0}, {0, 5}, {4, 1}};

}  // namespace wajah
