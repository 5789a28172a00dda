// Plain .npy files (NumPy's format 1.0 and 2.0, numpy/lib/format.py): one array of numbers.
#pragma once

#include <wajah/convert/byte_reader.hpp>
#include <wajah/weights.hpp>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <ranges>
#include <span>
#include <string>
#include <vector>

namespace wajah {

// The element type that .npy files and Weights call by `T`'s name.
template <class T>
concept NpyElement = std::same_as<T, float> || std::same_as<T, double> || std::same_as<T, std::int32_t> ||
    std::same_as<T, std::int64_t> || std::same_as<T, std::uint8_t> || std::same_as<T, std::int8_t>;

template <NpyElement T>
[[nodiscard]] constexpr DataType data_type_of() {
  if constexpr (std::same_as<T, float>) return DataType::f32;
  if constexpr (std::same_as<T, double>) return DataType::f64;
  if constexpr (std::same_as<T, std::int32_t>) return DataType::i32;
  if constexpr (std::same_as<T, std::int64_t>) return DataType::i64;
  if constexpr (std::same_as<T, std::uint8_t>) return DataType::u8;
  return DataType::i8;
}

// An array in row-major (C) order, little-endian.
struct NpyArray {
  DataType type = DataType::f32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;

  [[nodiscard]] std::size_t size() const { return bytes.size() / size_of(type); }

  // The elements as they are, not copied. Throws Error (input) unless they are of type T.
  template <NpyElement T>
  [[nodiscard]] std::span<const T> as() const {
    if (type != data_type_of<T>()) {
      fail(ErrorKind::input, "an array holds {}, expected {}", name_of(type), name_of(data_type_of<T>()));
    }
    return {reinterpret_cast<const T*>(bytes.data()), size()};
  }

  // Elements converted to T; float64 to float32 rounds to nearest. Throws Error (input) if an element does not fit an
  // integer T, or is no whole number.
  template <class T>
  [[nodiscard]] std::vector<T> values() const;
};

// What stands before the data.
struct NpyHeader {
  std::string descr;  // '<f4', '|u1', '|O'
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
};

// Reads magic, version and header, and leaves `reader` at the first byte of data. Throws Error of the reader's kind.
[[nodiscard]] NpyHeader read_npy_header(ByteReader& reader);

// The elements of a column-major (Fortran) array of `shape` in row-major order; `bytes` must hold that many of `type`.
[[nodiscard]] std::vector<std::byte> row_major(std::span<const std::byte> bytes, DataType type,
                                               std::span<const std::int64_t> shape);

// Reads f4, f8, u1, i1, i4 or i8, little-endian, in either order. The size is checked against the file before anything
// is allocated. Throws Error of the given kind on anything else, pickled objects included.
[[nodiscard]] NpyArray read_npy(const std::filesystem::path& file, ErrorKind kind = ErrorKind::input);

// Writes format 1.0, as numpy.save does: `bytes` hold row-major elements. Atomic: see write_file. Throws Error
// (storage).
void write_npy(const std::filesystem::path& file, DataType type, std::span<const std::int64_t> shape,
               std::span<const std::byte> bytes);

template <class Range>
requires NpyElement<std::ranges::range_value_t<Range>>
void write_npy(const std::filesystem::path& file, const std::vector<std::int64_t>& shape, const Range& values) {
  using T = std::ranges::range_value_t<Range>;
  write_npy(file, data_type_of<T>(), shape, std::as_bytes(std::span<const T>(values)));
}

}  // namespace wajah
