// conv2d_half in half floats: pairs of input channels, chains of 64 steps, sums of chains in float (WAJAH_HAS_FP16).
#include <wajah/layers/conv2d_half.hpp>

#include "conv2d_driver.hpp"
#include "conv2d_half_tile.hpp"

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

struct HalfConv2d {
  using Args = Conv2dHalfArgs;
  using Element = uint16_t;
  using Weight = uint16_t;
  using Finish = HalfFinish;

  static constexpr int tile_height(int width) { return wajah::WAJAH_KERNEL_ISA::tile_height(width); }
  static WAJAH_VEC const uint16_t* zeros(const Args& args, ptrdiff_t packed) { return args.weights + packed; }
  static constexpr bool padding_counts(const Args&) { return false; }

  static WAJAH_VEC Finish finish_of(const Args& args, Panel panel) {
    return {wajah::WAJAH_KERNEL_ISA::finish_of<uint16_t>(args, panel), at_channel(args.floats, panel.first * lanes)};
  }

  template <class Source>
  static WAJAH_VEC Compute<Source> compute_for(int height, int width) {
    return wajah::WAJAH_KERNEL_ISA::compute_for<Source>(height, width);
  }
};

}  // namespace

void conv2d_half(const Conv2dHalfArgs& args, Part part) { convolve<HalfConv2d>(args, part); }

}  // namespace wajah::WAJAH_KERNEL_ISA
