// Adapts a View to an xtensor expression and back, for researchers, reference code and tests. Kernels and core headers
// never include it; whoever does needs xtensor (QuantStack) installed.
#pragma once

#include <wajah/error.hpp>
#include <wajah/shape.hpp>

#include <array>
#include <cstddef>
#include <xtensor/xadapt.hpp>
#include <xtensor/xstrided_view.hpp>
#include <xtensor/xtensor.hpp>

namespace wajah {

// A view of rank 4 (images, rows, columns, channels) over the same memory; channel slices keep their stride. Writing to
// it writes to the map. The memory must outlive it.
template <class T>
[[nodiscard]] auto to_xtensor(View<T> view) {
  const auto n = static_cast<std::size_t>(view.shape.n), h = static_cast<std::size_t>(view.shape.h);
  const auto w = static_cast<std::size_t>(view.shape.w), c = static_cast<std::size_t>(view.shape.c);
  const std::ptrdiff_t row = view.stride * view.shape.w;
  const std::size_t size = view.shape.size() == 0 ? 0 : (n * h * w - 1) * static_cast<std::size_t>(view.stride) + c;
  // Not adapt() with strides: xtensor 0.24 then tries to resize the memory to the product of the shape.
  return xt::strided_view(xt::adapt(view.data, size, xt::no_ownership(), std::array<std::size_t, 1>{size}),
                          std::array<std::size_t, 4>{n, h, w, c},
                          std::array<std::ptrdiff_t, 4>{row * view.shape.h, row, view.stride, 1}, 0,
                          xt::layout_type::dynamic);
}

// A View of a dense rank-4 xtensor container, which must outlive it. Throws Error (input) if it is not row-major.
template <class T>
[[nodiscard]] View<T> to_view(xt::xtensor<T, 4>& tensor) {
  const auto& shape = tensor.shape();
  const Shape s{static_cast<int>(shape[0]), static_cast<int>(shape[1]), static_cast<int>(shape[2]), static_cast<int>(shape[3])};
  if (tensor.layout() != xt::layout_type::row_major) {
    fail(ErrorKind::input, "a tensor of {}x{}x{}x{} is not row-major: views need channels innermost", s.n, s.h, s.w, s.c);
  }
  return {tensor.data(), s};
}

}  // namespace wajah
