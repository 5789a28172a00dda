// pack_panels_half: panels as conv2d_half reads them, rounded to halves (WAJAH_HAS_FP16).
#include <wajah/layers/pack_half.hpp>

#include "conv2d_panels.hpp"
#include "words.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

void pack_panels_half(const PackPanelsHalfArgs& args, Part part) {
  const Panels panels(args.out);
  const ptrdiff_t depth = static_cast<ptrdiff_t>(args.taps) * args.in;
  const ptrdiff_t end = part.end(panels.count());
  const Lanes one(1);
  for (ptrdiff_t p = part.begin(panels.count()); p < end; ++p) {
    const Panel panel = panels[static_cast<int>(p)];
    const int first = panel.first * lanes, last = first + panel.width * lanes;
    uint16_t* packed = args.packed + first * depth;
    for (ptrdiff_t k = 0; k < depth; k += 2) {
      for (int c = first; c < last; ++c) {
        for (int i = 0; i < 2; ++i) {
          const float weight = c < args.out ? args.weights[(k + i) * args.out + c] : 0.0F;
          store_words(packed++, one, Vec(weight));
        }
      }
    }
  }
  if (part.index != 0) return;
  uint16_t* zeros = args.packed + static_cast<ptrdiff_t>(panels.vectors) * lanes * depth;
  for (int i = 0; i < args.zeros; ++i) zeros[i] = 0;
}

}  // namespace wajah::WAJAH_KERNEL_ISA
