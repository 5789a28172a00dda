#include <wajah/svm/kernel.hpp>

#include <wajah/svm/dot_matrix.hpp>

#include <cmath>

namespace wajah::svm {
namespace {

// Independent lanes let the compiler vectorise a float sum, which it may not reorder by itself.
constexpr std::size_t lanes = 16;

template <class Term>
float sum(const float* a, const float* b, std::size_t d, Term term) {
  float part[lanes] = {};
  std::size_t k = 0;
  for (; k + lanes <= d; k += lanes)
    for (std::size_t l = 0; l < lanes; ++l) part[l] += term(a[k + l], b[k + l]);
  for (std::size_t l = 0; k + l < d; ++l) part[l] += term(a[k + l], b[k + l]);
  for (std::size_t width = lanes / 2; width > 0; width /= 2)
    for (std::size_t l = 0; l < width; ++l) part[l] += part[l + width];
  return part[0];
}

}  // namespace

double Kernel::operator()(const float* a, const float* b, std::size_t d) const {
  if (kind == KernelKind::linear) return static_cast<double>(sum(a, b, d, [](float x, float y) { return x * y; }));
  const float distance = sum(a, b, d, [](float x, float y) { return (x - y) * (x - y); });
  return std::exp(-gamma * static_cast<double>(distance));
}

void gram(const Cpu& cpu, const Kernel& kernel, ConstView<float> a, ConstView<float> b, float* out,
          std::size_t out_stride) {
  const bool rbf = kernel.kind == KernelKind::rbf;
  dot_matrix(cpu, {a, b, out, static_cast<ptrdiff_t>(out_stride), rbf});
  if (!rbf) return;
  for (int i = 0; i < a.shape.n; ++i) {
    float* row = out + static_cast<std::size_t>(i) * out_stride;
    for (int j = 0; j < b.shape.n; ++j)
      row[j] = static_cast<float>(std::exp(-kernel.gamma * static_cast<double>(row[j])));
  }
}

}  // namespace wajah::svm
