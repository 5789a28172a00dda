#include <wajah/layers/pack.hpp>

#include "conv2d_panels.hpp"
#include "vec_int8.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

void pack_panels_int8(const PackPanelsInt8Args& args, Part part) {
  const Panels panels(args.out);
  const ptrdiff_t depth = static_cast<ptrdiff_t>(args.taps) * args.in;
  const ptrdiff_t end = part.end(panels.count());
  for (ptrdiff_t p = part.begin(panels.count()); p < end; ++p) {
    const Panel panel = panels[static_cast<int>(p)];
    const int channel = panel.first * lanes;
    const int width = panel.width * lanes;
    int8_t* packed = args.packed + channel * depth;
    for (ptrdiff_t k = 0; k < depth; k += quad) {
      for (int c = 0; c < width; ++c) {
        for (int i = 0; i < quad; ++i) {
          *packed++ = channel + c < args.out ? args.weights[(k + i) * args.out + channel + c] : int8_t{0};
        }
      }
    }
  }
  if (part.index != 0) return;
  int8_t* padding = args.packed + static_cast<ptrdiff_t>(panels.vectors) * lanes * depth;
  for (int i = 0; i < args.padding; ++i) padding[i] = static_cast<int8_t>(args.zero_point);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
