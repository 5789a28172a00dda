// pack_panels_int8: for vectors, panels as conv2d reads them; for matrix tiles (WAJAH_HAS_AMX) those of
// conv2d_int8_amx.hpp, tile by tile in the order of use. The order for vectors is by their width (WAJAH_HAS_VNNI).
#include <wajah/layers/pack.hpp>

#include "conv2d_panels.hpp"
#include "vec_int8.hpp"

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

// Four input channels from k on, side by side, of `channels` output channels from `channel` on.
WAJAH_VEC int8_t* pack_quads(int8_t* packed, const PackPanelsInt8Args& args, ptrdiff_t k, int channel, int channels) {
  const ptrdiff_t depth = static_cast<ptrdiff_t>(args.taps) * args.in;
  for (int c = channel; c < channel + channels; ++c) {
    for (int i = 0; i < quad; ++i) {
      *packed++ = k < depth && c < args.out ? args.weights[(k + i) * args.out + c] : int8_t{0};
    }
  }
  return packed;
}

}  // namespace

#ifdef __AMX_INT8__

void pack_panels_int8(const PackPanelsInt8Args& args, Part part) {
  constexpr int panel_vectors = 2, tile_quads = 16, step = tile_quads * quad;
  const int vectors = (args.out + lanes - 1) / lanes;
  const int panels = (vectors + panel_vectors - 1) / panel_vectors;
  const ptrdiff_t depth = (static_cast<ptrdiff_t>(args.taps) * args.in + step - 1) / step * step;
  const ptrdiff_t end = part.end(panels);
  for (ptrdiff_t p = part.begin(panels); p < end; ++p) {
    const int first = static_cast<int>(p) * panel_vectors;
    const int last = first + panel_vectors < vectors ? first + panel_vectors : vectors;
    int8_t* packed = args.packed + first * lanes * depth;
    for (ptrdiff_t k = 0; k < depth; k += step) {
      for (int v = first; v < last; ++v) {
        for (int row = 0; row < step; row += quad) packed = pack_quads(packed, args, k + row, v * lanes, lanes);
      }
    }
  }
}

#else

void pack_panels_int8(const PackPanelsInt8Args& args, Part part) {
  const Panels panels(args.out);
  const ptrdiff_t depth = static_cast<ptrdiff_t>(args.taps) * args.in;
  const ptrdiff_t end = part.end(panels.count());
  for (ptrdiff_t p = part.begin(panels.count()); p < end; ++p) {
    const Panel panel = panels[static_cast<int>(p)];
    const int channel = panel.first * lanes;
    int8_t* packed = args.packed + channel * depth;
    for (ptrdiff_t k = 0; k < depth; k += quad) packed = pack_quads(packed, args, k, channel, panel.width * lanes);
  }
  if (part.index != 0) return;
  int8_t* padding = args.packed + static_cast<ptrdiff_t>(panels.vectors) * lanes * depth;
  for (int i = 0; i < args.padding; ++i) padding[i] = static_cast<int8_t>(args.zero_point);
}

#endif

}  // namespace wajah::WAJAH_KERNEL_ISA
