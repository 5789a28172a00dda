// conv2d in float32: sums of products begin with the bias.
#include <wajah/layers/conv2d.hpp>

#include "conv2d_driver.hpp"
#include "conv2d_tile.hpp"

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

struct FloatConv2d {
  using Args = Conv2dArgs;
  using Element = float;
  using Weight = float;
  using Finish = wajah::WAJAH_KERNEL_ISA::Finish;

  static constexpr int tile_height(int width) { return wajah::WAJAH_KERNEL_ISA::tile_height(width); }
  static WAJAH_VEC const float* zeros(const Conv2dArgs& args, ptrdiff_t packed) { return args.weights + packed; }
  static constexpr bool padding_counts(const Conv2dArgs&) { return false; }

  static WAJAH_VEC Finish finish_of(const Conv2dArgs& args, Panel panel) {
    const int channel = panel.first * lanes;
    return {.biases = args.biases + channel,
            .slopes = args.activation.slope + channel,
            .y = args.y.data + channel,
            .add = args.epilogue.add.data == nullptr ? nullptr : args.epilogue.add.data + channel,
            .scale = args.epilogue.scale,
            .ceiling = ceiling_of(args.activation),
            .last = Lanes(args.y.shape.c - channel - (panel.width - 1) * lanes),
            .y_stride = args.y.stride,
            .add_stride = args.epilogue.add.stride};
  }

  template <class Source>
  static WAJAH_VEC Compute<Source> compute_for(int height, int width) {
    return wajah::WAJAH_KERNEL_ISA::compute_for<Source>(height, width);
  }
};

}  // namespace

void conv2d(const Conv2dArgs& args, Part part) { convolve<FloatConv2d>(args, part); }

}  // namespace wajah::WAJAH_KERNEL_ISA
