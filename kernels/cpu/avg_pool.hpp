// Means of whole maps, in float: one vector of channels at a time, summed over the pixels of its image.
#pragma once

#include "words.hpp"

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

template <class Args>
WAJAH_VEC void avg_pool(const Args& args, Part part) {
  const Shape x = args.x.shape;
  const int pixels = x.h * x.w;
  const Vec share(1.0F / static_cast<float>(pixels));
  const int vectors = (x.c + lanes - 1) / lanes;
  const auto end = static_cast<int>(part.end(static_cast<ptrdiff_t>(x.n) * vectors));
  for (auto i = static_cast<int>(part.begin(static_cast<ptrdiff_t>(x.n) * vectors)); i < end; ++i) {
    const int c = i % vectors * lanes;
    const Lanes channels(x.c - c);
    const auto* pixel = args.x.pixel(i / vectors, 0, 0) + c;
    Vec sum(0.0F);
    for (int p = 0; p < pixels; ++p, pixel += args.x.stride) sum = sum + load_words(pixel, channels);
    (sum * share).store(args.y.pixel(i / vectors, 0, 0) + c, channels);
  }
}

}  // namespace

}  // namespace wajah::WAJAH_KERNEL_ISA
