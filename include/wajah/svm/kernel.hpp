// The two kernel functions, linear and RBF, between single rows and between sets of rows (a Gram matrix).
#pragma once

#include <wajah/cpu.hpp>
#include <wajah/shape.hpp>

#include <cstddef>

namespace wajah::svm {

enum class KernelKind { linear, rbf };

// linear: a.b; rbf: exp(-gamma |a - b|^2). Sums run in float over 16 fixed lanes, so a pair of rows has one value
// however it is asked for, and |a - b|^2 is summed directly: the usual a.a + b.b - 2 a.b cancels when rows lie far from
// 0. gram() gives these values faster, but for a rounding: it does not round products where the machine need not.
struct Kernel {
  KernelKind kind = KernelKind::linear;
  double gamma = 0;  // rbf only

  // Needs two rows of d values; gives their kernel value.
  [[nodiscard]] double operator()(const float* a, const float* b, std::size_t d) const;
};

// out[i * out_stride + j] = kernel(a_i, b_j) as float (libsvm keeps kernel values in float as well).
// Needs a of shape (m, 1, 1, d), b of shape (n, 1, 1, d), out_stride >= n.
void gram(const Cpu& cpu, const Kernel& kernel, ConstView<float> a, ConstView<float> b, float* out,
          std::size_t out_stride);

}  // namespace wajah::svm
