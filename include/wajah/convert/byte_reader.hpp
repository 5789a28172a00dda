// ByteReader: the cursor under every reader of foreign bytes. Nothing is read that is not there.
#pragma once

#include <wajah/error.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace wajah {

// Walks over little-endian bytes. `source` names the file in messages and must outlive the reader; `base` is where the
// bytes begin in that file. Every read throws Error of the given kind, naming `what`, if fewer bytes are left.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, std::string_view source, ErrorKind kind = ErrorKind::model,
             std::size_t base = 0)
      : bytes_(bytes), source_(source), kind_(kind), base_(base) {}

  [[nodiscard]] std::string_view source() const { return source_; }
  [[nodiscard]] ErrorKind kind() const { return kind_; }
  [[nodiscard]] std::size_t offset() const { return base_ + at_; }  // in the file
  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - at_; }

  // The next `count` bytes, not copied.
  std::span<const std::byte> take(std::uint64_t count, std::string_view what);
  std::string_view take_text(std::uint64_t count, std::string_view what);

  // Text up to the next newline, which is consumed but not part of it; at most `limit` bytes.
  std::string_view take_line(std::size_t limit, std::string_view what);

  // A fixed-size number: number<std::uint16_t>("header length").
  template <class T>
  T number(std::string_view what) {
    static_assert(std::is_arithmetic_v<T>);
    T value;
    std::memcpy(&value, take(sizeof(T), what).data(), sizeof(T));
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
  std::string_view source_;
  ErrorKind kind_;
  std::size_t base_;
  std::size_t at_ = 0;
};

}  // namespace wajah
