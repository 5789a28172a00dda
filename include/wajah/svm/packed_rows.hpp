// PackedRows: rows of features, each beginning at a cache line, because a kernel reads lines that lie across two at
// half the speed.
#pragma once

#include <wajah/buffer.hpp>
#include <wajah/shape.hpp>

#include <cstddef>
#include <span>

namespace wajah::svm {

class PackedRows {
 public:
  // Copies dense row-major values of rows of d features; throws as rows_of() does.
  PackedRows(std::span<const float> values, std::size_t dimensions);

  [[nodiscard]] std::size_t rows() const { return static_cast<std::size_t>(shape_.n); }
  [[nodiscard]] std::size_t dimensions() const { return static_cast<std::size_t>(shape_.c); }
  [[nodiscard]] ConstView<float> view() const { return {values_.as<float>(), shape_, stride_}; }

 private:
  Shape shape_;
  std::ptrdiff_t stride_;
  Buffer values_;
};

}  // namespace wajah::svm
