// quantise: a pass over the map, pixel by pixel; where all channels of all pixels lie side by side, over one long row.
#include <wajah/layers/quantise.hpp>

#include "vec_int8.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

void quantise(const QuantiseArgs& args, Part part) {
  const auto pixels = static_cast<ptrdiff_t>(args.x.shape.pixels());
  const ptrdiff_t begin = part.begin(pixels);
  const ptrdiff_t end = part.end(pixels);
  const bool dense = args.x.dense() && args.y.dense();
  const ptrdiff_t rows = dense ? 1 : end - begin;
  const ptrdiff_t count = dense ? (end - begin) * args.x.shape.c : args.x.shape.c;
  const Vec per_step(1.0F / args.y_is.scale);
  const Vec zero(static_cast<float>(args.y_is.zero_point));
  const Vec largest(static_cast<float>(args.y_is.largest));
  for (ptrdiff_t row = 0; row < rows; ++row) {
    const float* x = args.x.data + (begin + row) * args.x.stride;
    uint8_t* y = args.y.data + (begin + row) * args.y.stride;
    for (ptrdiff_t i = 0; i < count; i += lanes) {
      const Lanes some(count - i < lanes ? static_cast<int>(count - i) : lanes);
      const Vec steps = fma(Vec::load(x + i, some), per_step, zero);
      store_bytes(y + i, some, min(max(steps, Vec(0.0F)), largest));
    }
  }
}

}  // namespace wajah::WAJAH_KERNEL_ISA
