// How a convolution over maps of 16 bits closes a residual, and which epilogue goes with which maps.
#pragma once

#include <wajah/shape.hpp>

namespace wajah {

// Epilogue (shape.hpp) where the map that is added consists of 16-bit words; the sum is made in float32.
struct HalfEpilogue {
  ConstView<uint16_t> add{};
  float scale = 1.0F;
};

template <class T>
struct EpilogueOfMap {
  using type = Epilogue;
};
template <>
struct EpilogueOfMap<uint16_t> {
  using type = HalfEpilogue;
};
// For a residual whose input consists of T.
template <class T>
using EpilogueOf = typename EpilogueOfMap<T>::type;

}  // namespace wajah
