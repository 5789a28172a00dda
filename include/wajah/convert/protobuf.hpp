// ProtobufReader: the wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding), without any schema.
#pragma once

#include <wajah/convert/byte_reader.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace wajah {

enum class WireType : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

// One field of a message. `value` holds a varint or the bits of a fixed number, `bytes` a string or message.
struct ProtobufField {
  std::uint32_t number = 0;
  WireType wire = WireType::varint;
  std::uint64_t value = 0;
  std::span<const std::byte> bytes{};
  std::size_t offset = 0;  // of `bytes` in the file

  [[nodiscard]] bool is(std::uint32_t wanted, WireType type) const { return number == wanted && wire == type; }
  [[nodiscard]] std::string_view text() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
};

// Walks over the fields of one message. Throws Error (model) on a varint of more than 10 bytes, a length beyond the
// message, a group, field number 0, or messages nested deeper than 100.
class ProtobufReader {
 public:
  // `source` names the file in messages and must outlive the reader and its children.
  ProtobufReader(std::span<const std::byte> message, std::string_view source) : ProtobufReader(message, source, 0, 0) {}

  // The next field, or false at the end of the message.
  [[nodiscard]] bool next(ProtobufField& field);

  // The message inside `field`.
  [[nodiscard]] ProtobufReader child(const ProtobufField& field) const;

  // The numbers of a repeated varint field, packed or one by one: calls take(value) for each.
  template <class Take>
  void varints(const ProtobufField& field, Take take) const;

  [[nodiscard]] std::string_view source() const { return reader_.source(); }

 private:
  ProtobufReader(std::span<const std::byte> message, std::string_view source, std::size_t base, int depth);

  static std::uint64_t varint(ByteReader& reader);

  ByteReader reader_;
  int depth_;
};

template <class Take>
void ProtobufReader::varints(const ProtobufField& field, Take take) const {
  if (field.wire != WireType::bytes) return take(field.value);
  ByteReader packed(field.bytes, source(), ErrorKind::model, field.offset);
  while (packed.remaining() != 0) take(varint(packed));
}

}  // namespace wajah
