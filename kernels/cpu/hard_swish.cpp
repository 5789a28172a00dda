#include <wajah/layers/hard_swish.hpp>

#include "vec.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

void hard_swish(const HardSwishArgs& args, Part part) {
  const auto pixels = static_cast<ptrdiff_t>(args.x.shape.pixels());
  const ptrdiff_t end = part.end(pixels);
  for (ptrdiff_t p = part.begin(pixels); p < end; ++p) {
    const float* x = args.x.data + p * args.x.stride;
    float* y = args.y.data + p * args.y.stride;
    for (int c = 0; c < args.x.shape.c; c += lanes) {
      const Lanes channels(args.x.shape.c - c);
      const Vec v = Vec::load(x + c, channels);
      const Vec gate = min(max(v + Vec(3.0F), Vec(0.0F)), Vec(6.0F));
      (v * gate * Vec(1.0F / 6.0F)).store(y + c, channels);
    }
  }
}

}  // namespace wajah::WAJAH_KERNEL_ISA
