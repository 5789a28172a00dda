#include <wajah/layers/pack.hpp>

#include "conv2d_panels.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

void pack_panels(const PackPanelsArgs& args, Part part) {
  const Panels panels(args.out);
  const ptrdiff_t depth = static_cast<ptrdiff_t>(args.taps) * args.in;
  const ptrdiff_t end = part.end(panels.count());
  for (ptrdiff_t p = part.begin(panels.count()); p < end; ++p) {
    const Panel panel = panels[static_cast<int>(p)];
    const int channel = panel.first * lanes;
    const int width = panel.width * lanes;
    float* packed = args.packed + channel * depth;
    for (ptrdiff_t k = 0; k < depth; ++k) {
      for (int c = 0; c < width; ++c) {
        *packed++ = channel + c < args.out ? args.weights[k * args.out + channel + c] : 0.0F;
      }
    }
  }
  if (part.index != 0) return;
  float* zeros = args.packed + static_cast<ptrdiff_t>(panels.vectors) * lanes * depth;
  for (int i = 0; i < args.zeros; ++i) zeros[i] = 0.0F;
}

}  // namespace wajah::WAJAH_KERNEL_ISA
