#include <wajah/convert/protobuf.hpp>

namespace wajah {
namespace {

constexpr int max_depth = 100;  // protobuf's own limit
constexpr int max_varint = 10;  // bytes: 64 bits at 7 a byte

}  // namespace

ProtobufReader::ProtobufReader(std::span<const std::byte> message, std::string_view source, std::size_t base, int depth)
    : reader_(message, source, ErrorKind::model, base), depth_(depth) {
  if (depth > max_depth) {
    fail(ErrorKind::model, "{}: messages at byte {} are nested deeper than {}", source, base, max_depth);
  }
}

std::uint64_t ProtobufReader::varint(ByteReader& reader) {
  const std::size_t start = reader.offset();
  std::uint64_t value = 0;
  for (int i = 0; i < max_varint; ++i) {
    const std::uint64_t byte = reader.number<std::uint8_t>("protobuf number");
    value |= (byte & 0x7FU) << (7 * i);
    if (byte < 0x80) return value;
  }
  fail(reader.kind(), "{}: the number at byte {} has more than {} bytes; is it a protobuf file?", reader.source(),
       start, max_varint);
}

bool ProtobufReader::next(ProtobufField& field) {
  if (reader_.remaining() == 0) return false;
  const std::size_t start = reader_.offset();
  const std::uint64_t key = varint(reader_);
  field = {.number = static_cast<std::uint32_t>(key >> 3U), .wire = static_cast<WireType>(key & 7U)};
  if (key >> 3U == 0 || key >> 32U != 0) {
    fail(ErrorKind::model, "{}: field number {} at byte {} is none of protobuf's; is it a protobuf file?", source(),
         key >> 3U, start);
  }
  switch (field.wire) {
    case WireType::varint: field.value = varint(reader_); break;
    case WireType::fixed64: field.value = reader_.number<std::uint64_t>("64-bit number"); break;
    case WireType::fixed32: field.value = reader_.number<std::uint32_t>("32-bit number"); break;
    case WireType::bytes: {
      const std::uint64_t size = varint(reader_);
      field.offset = reader_.offset();
      field.bytes = reader_.take(size, "protobuf field");
      break;
    }
    default:
      fail(ErrorKind::model, "{}: wire type {} at byte {}, expected 0, 1, 2 or 5; is it a protobuf file?", source(),
           key & 7U, start);
  }
  return true;
}

ProtobufReader ProtobufReader::child(const ProtobufField& field) const {
  return {field.bytes, source(), field.offset, depth_ + 1};
}

}  // namespace wajah
