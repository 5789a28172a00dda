// conv2d_half on CPUs, against the definition over the same halves. Builds that compute in float differ by the order of
// their sums and the last rounding; those of half arithmetic by chains of 64 sums in halves as well.
#include <wajah/layers/conv2d_half.hpp>

#include "half_maps.hpp"
#include "random_shapes.hpp"

namespace wajah {
namespace {

// The scalar build imitates half arithmetic, and rounds products besides.
Tolerance tolerance_on(const Cpu& cpu) {
  const bool halves = cpu.isa() == Isa::scalar || (cpu.isa() >= Isa::avx512 && has_half_arithmetic());
  return halves ? Tolerance{6e-3, 6e-3} : Tolerance{1e-5, 1e-3};
}

struct Case {
  Shape x;
  int out;
  Window window;
  Pad pad;
};

class Trial {
 public:
  Trial(const Case& c, Draw& draw)
      : case_(c),
        y_{c.x.n, reach(c.x.h, c.window.h, c.window.stride, c.pad).out,
           reach(c.x.w, c.window.w, c.window.stride, c.pad).out, c.out},
        touch_(draw.touch()),
        kind_(static_cast<ActivationKind>(draw.between(0, 3))),
        residual_(draw.chance()),
        to_floats_(draw.chance()),
        y_gap_(draw.gap()),
        weights_(random_numbers(draw.random(), static_cast<std::size_t>(c.window.h * c.window.w * c.x.c * c.out),
                                1 / std::sqrt(static_cast<float>(c.window.h * c.window.w * c.x.c)))),
        biases_(random_numbers(draw.random(), static_cast<std::size_t>(c.out), 0.5F)),
        slopes_(random_numbers(draw.random(), static_cast<std::size_t>(c.out), 2.0F)) {
    round_to(Arithmetic::fp16, weights_);
  }

  void run(Draw& draw) const {
    if (y_.h < 1 || y_.w < 1) return;
    const auto x_values = random_words(Arithmetic::fp16, draw.random(), case_.x.size());
    const auto add_values = random_words(Arithmetic::fp16, draw.random(), y_.size());
    HalfMap x(Arithmetic::fp16, case_.x, draw.one_of({0, 2, 8}), touch_), add(Arithmetic::fp16, y_, draw.gap(), touch_);
    x.fill(x_values);
    add.fill(add_values);
    std::vector<float> expected(y_.size());
    const Conv2dWeights weights{case_.x.c,       case_.out,      case_.window,
                                weights_.data(), biases_.data(), {kind_, slopes_.data()}};
    const PackedConv2d plain = pack_conv2d(Reference{}, weights);
    conv2d(Reference{}, Conv2dArgs{{x_values.data(), case_.x},
                                   {expected.data(), y_},
                                   case_.window,
                                   case_.pad,
                                   plain.weights.as<float>(),
                                   plain.biases.as<float>(),
                                   {kind_, plain.slopes.as<float>()},
                                   residual_ ? Epilogue{{add_values.data(), y_}, 0.25F} : Epilogue{}});
    for_each_isa(draw, [&](const Cpu& cpu, const std::string& isa) {
      const PackedConv2d packed = pack_conv2d_half(cpu, weights);
      const auto panels = guarded(cpu, packed.weights, touch_), biases = guarded(cpu, packed.biases, touch_),
                 slopes = guarded(cpu, packed.slopes, touch_);
      HalfMap y(Arithmetic::fp16, y_, y_gap_, touch_);
      GuardedMap floats(y_, y_gap_, touch_);
      const bool in_place = residual_ && !to_floats_;
      if (in_place) y.copy(add_values);
      conv2d_half(cpu, Conv2dHalfArgs{x.view(),
                                      to_floats_ ? View<std::uint16_t>{nullptr, y_, floats.view().stride} : y.view(),
                                      to_floats_ ? floats.view().data : nullptr,
                                      case_.window,
                                      case_.pad,
                                      panels.as<std::uint16_t>(),
                                      biases.as<float>(),
                                      {kind_, slopes.as<float>()},
                                      {in_place    ? y.view()
                                       : residual_ ? add.view()
                                                   : View<std::uint16_t>{},
                                       0.25F}});
      const std::string what =
          fmt::format("conv2d_half {}x{}x{}x{} -> {}, {}x{}/{} on {}", case_.x.n, case_.x.h, case_.x.w, case_.x.c,
                      case_.out, case_.window.h, case_.window.w, case_.window.stride, isa);
      if (to_floats_) {
        check_close(what, floats.view(), View<float>(expected.data(), y_), tolerance_on(cpu));
      } else {
        check_close(what, y.values(), expected, tolerance_on(cpu));
      }
      CHECK(floats.gaps_untouched());
      CHECK(y.gaps_untouched());
    });
  }

 private:
  Case case_;
  Shape y_;
  Touch touch_;
  ActivationKind kind_;
  bool residual_, to_floats_;
  int y_gap_;
  std::vector<float> weights_, biases_, slopes_;
};

TEST_CASE("conv2d_half: random shapes") {
  Draw draw(14);
  for (int i = shapes_to_draw(20); i > 0; --i) {
    const Shape x{draw.up_to(3), draw.up_to(20), draw.up_to(20), 8 * draw.up_to(24)};
    Trial({x, draw.up_to(110), draw.window(7), draw.pad()}, draw).run(draw);
  }
}

}  // namespace
}  // namespace wajah
