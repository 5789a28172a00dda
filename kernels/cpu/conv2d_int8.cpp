// conv2d_int8: bytes times signed bytes in int32, with a dot product or matrix tiles where the CPU has them
// (WAJAH_HAS_VNNI, WAJAH_HAS_AMX: builds of its own).
#include <wajah/layers/conv2d_int8.hpp>

#ifdef __AMX_INT8__

#include "conv2d_int8_amx.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

void conv2d_int8(const Conv2dInt8Args& args, Part part) { convolve_in_tiles(args, part); }

}  // namespace wajah::WAJAH_KERNEL_ISA

#else

#include "conv2d_driver.hpp"
#include "conv2d_int8_tile.hpp"

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

struct Int8Conv2d {
  using Args = Conv2dInt8Args;
  using Element = uint8_t;
  using Weight = int8_t;
  using Finish = FinishInt8;

  static constexpr int tile_height(int width) { return tile_height_int8(width); }
  static WAJAH_VEC const uint8_t* zeros(const Conv2dInt8Args& args, ptrdiff_t packed) {
    return reinterpret_cast<const uint8_t*>(args.weights + packed);
  }
  // The offsets make up for the zero point of every tap.
  static WAJAH_VEC bool padding_counts(const Conv2dInt8Args& args) { return args.zero_point != 0; }

  static WAJAH_VEC FinishInt8 finish_of(const Conv2dInt8Args& args, Panel panel) {
    return WAJAH_KERNEL_ISA::finish_of(args, panel.first * lanes, panel.width);
  }

  template <class Source>
  static WAJAH_VEC ComputeInt8<Source> compute_for(int height, int width) {
    if (width == 1) return TableInt8<Source, 1>::of_height[height - 1];
    if (width == 2) return TableInt8<Source, 2>::of_height[height - 1];
    return TableInt8<Source, 3>::of_height[height - 1];
  }
};

}  // namespace

void conv2d_int8(const Conv2dInt8Args& args, Part part) { convolve<Int8Conv2d>(args, part); }

}  // namespace wajah::WAJAH_KERNEL_ISA

#endif
