// Which rows or columns of a window lie inside the map: [first, last).
#pragma once

#include "vec.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

struct Inside {
  int first, last;

  // `begin`: where in the map the window begins, maybe before it.
  WAJAH_VEC Inside(int begin, int window, int size)
      : first(begin < 0 ? -begin : 0), last(begin + window > size ? size - begin : window) {}
};

}  // namespace wajah::WAJAH_KERNEL_ISA
