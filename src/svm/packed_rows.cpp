#include <wajah/svm/packed_rows.hpp>

#include <wajah/svm/problem.hpp>

#include <algorithm>

namespace wajah::svm {

namespace {
constexpr std::ptrdiff_t line = 16;  // floats
}

PackedRows::PackedRows(std::span<const float> values, std::size_t dimensions)
    : shape_(rows_of(values, dimensions).shape),
      stride_((shape_.c + line - 1) / line * line),
      values_(static_cast<std::size_t>(shape_.n) * static_cast<std::size_t>(stride_) * sizeof(float)) {
  for (int r = 0; r < shape_.n; ++r)
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(r) * shape_.c, shape_.c,
                values_.as<float>() + r * stride_);
}

}  // namespace wajah::svm
