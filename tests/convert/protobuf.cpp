// The wire format of Protocol Buffers, against the examples of its documentation and against what it forbids.
#include <doctest/doctest.h>
#include <wajah/convert/protobuf.hpp>

#include "convert/files.hpp"

namespace wajah {
namespace {

ProtobufReader reader_of(const std::string& message) { return {std::as_bytes(std::span(message)), "test.pb"}; }

std::vector<ProtobufField> fields_of(const std::string& message) {
  ProtobufReader reader = reader_of(message);
  std::vector<ProtobufField> fields;
  for (ProtobufField field; reader.next(field);) fields.push_back(field);
  return fields;
}

TEST_CASE("the documentation's messages are read") {
  // protobuf.dev/programming-guides/encoding: Test1 {a: 150}, Test2 {b: "testing"}
  const std::string numbers = "\x08\x96\x01";
  CHECK(fields_of(numbers)[0].is(1, WireType::varint));
  CHECK(fields_of(numbers)[0].value == 150);
  const std::string text = "\x12\x07testing";
  CHECK(fields_of(text)[0].is(2, WireType::bytes));
  CHECK(fields_of(text)[0].text() == "testing");
  CHECK(fields_of(text)[0].offset == 2);
}

TEST_CASE("every wire type is read, and large numbers") {
  const std::string message = protobuf::number(1, -1) + protobuf::real(300, 1.5F) + protobuf::key(4, 1) +
                              little_endian(std::uint64_t{1} << 63U) + protobuf::bytes(536'870'911, "");
  const auto fields = fields_of(message);
  REQUIRE(fields.size() == 4);
  CHECK(static_cast<std::int64_t>(fields[0].value) == -1);
  CHECK(fields[1].number == 300);
  CHECK(fields[1].value == 0x3FC00000);
  CHECK(fields[2].value == std::uint64_t{1} << 63U);
  CHECK(fields[3].number == 536'870'911);
  CHECK(fields[3].bytes.empty());
}

TEST_CASE("repeated numbers may be packed or not") {
  const std::string packed = protobuf::bytes(8, protobuf::varint(3) + protobuf::varint(270) + protobuf::varint(86942));
  const std::string single = protobuf::number(8, 3);
  std::vector<std::uint64_t> numbers;
  for (const std::string& message : {packed, single}) {
    const ProtobufReader reader = reader_of(message);
    reader.varints(fields_of(message)[0], [&](std::uint64_t number) { numbers.push_back(number); });
  }
  CHECK(numbers == std::vector<std::uint64_t>{3, 270, 86942, 3});
}

TEST_CASE("what the wire format forbids is refused") {
  struct Case {
    const char* name;
    std::string message;
    const char* part;
  };
  const std::vector<Case> cases = {
      {"11-byte varint", "\x08" + std::string(10, '\xFF') + "\x01",
       "test.pb: the number at byte 1 has more than 10 bytes"},
      {"varint cut", "\x08\xFF", "protobuf number at byte 2 takes 1 bytes, but only 0 are left"},
      {"length beyond the message",
       "\x0A\x05"
       "abc",
       "protobuf field at byte 2 takes 5 bytes, but only 3 are left"},
      {"length of 2^64 - 1", "\x0A" + std::string(9, '\xFF') + "\x01", "takes 18446744073709551615 bytes"},
      {"fixed number cut", "\x0D\x01\x02", "32-bit number at byte 1 takes 4 bytes, but only 2 are left"},
      {"group", "\x0B\x0C", "wire type 3 at byte 0, expected 0, 1, 2 or 5"},
      {"wire type 7", "\x0F", "wire type 7 at byte 0"},
      {"field number 0", std::string("\0\0", 2), "field number 0 at byte 0"},
      {"field number of 33 bits", protobuf::varint(std::uint64_t{1} << 36U) + "x", "field number 8589934592 at byte 0"},
  };
  for (const Case& each : cases) {
    check_refused(each.name, each.part, [&] { fields_of(each.message); });
  }
}

TEST_CASE("messages nest 100 deep and no deeper") {
  const auto descend = [](int levels) {
    std::string message = protobuf::number(2, 1);
    for (int i = 0; i < levels; ++i) message = protobuf::bytes(1, message);
    ProtobufReader reader = reader_of(message);
    int depth = 0;
    for (ProtobufField field; reader.next(field) && field.is(1, WireType::bytes); ++depth) reader = reader.child(field);
    return depth;
  };
  CHECK(descend(100) == 100);
  check_refused("101", "are nested deeper than 100", [&] { descend(101); });
}

TEST_CASE("an error inside a message tells the byte of the file") {
  const std::string message = "\x0A\x02\x08\xFF";
  ProtobufReader reader = reader_of(message);
  ProtobufField field;
  REQUIRE(reader.next(field));
  ProtobufReader child = reader.child(field);
  check_refused("cut", "at byte 4", [&] { static_cast<void>(child.next(field)); });
}

}  // namespace
}  // namespace wajah
