// Plain .npy arrays.
#include <doctest/doctest.h>
#include <wajah/convert/npy.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "convert/files.hpp"

namespace wajah {
namespace {

template <class T>
void check_round_trip(const TemporaryFolder& folder, const std::vector<T>& values,
                      const std::vector<std::int64_t>& shape) {
  write_npy(folder / "a.npy", shape, values);
  const NpyArray array = read_npy(folder / "a.npy");
  CHECK(array.type == data_type_of<T>());
  CHECK(array.shape == shape);
  CHECK(array.template values<T>() == values);
  CHECK(std::ranges::equal(array.template as<T>(), values));
}

TEST_CASE("every type is read as it was written") {
  const TemporaryFolder folder;
  check_round_trip<float>(folder, {0.1F, -2, 1e30F, 3, 4, 5}, {2, 3});
  check_round_trip<double>(folder, {0.1}, {});
  check_round_trip<std::int32_t>(folder, {-1, 2147483647}, {2});
  check_round_trip<std::int64_t>(folder, {-1, std::numeric_limits<std::int64_t>::max()}, {1, 2, 1});
  check_round_trip<std::uint8_t>(folder, {0, 128, 255}, {3});
  check_round_trip<std::int8_t>(folder, {-128, 127}, {2});
  check_round_trip<float>(folder, {}, {0, 4});
}

TEST_CASE("the bytes are those of numpy.save") {
  const TemporaryFolder folder;
  write_npy(folder / "a.npy", {3}, std::array{1.0F, 2.0F, 3.0F});
  const std::string dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }";
  const std::string expected = "\x93NUMPY" + std::string("\1\0\x76\0", 4) + dictionary +
                               std::string(117 - dictionary.size(), ' ') + "\n" +
                               bytes_of(std::array{1.0F, 2.0F, 3.0F});
  CHECK(read_all(folder / "a.npy") == expected);
}

TEST_CASE("column-major arrays become row-major") {
  const TemporaryFolder folder;
  // numpy.save of numpy.asfortranarray([[[0, 1], [2, 3], [4, 5]]])
  const std::array<std::uint8_t, 6> stored = {0, 2, 4, 1, 3, 5};
  const auto file = folder.write("f.npy", npy_header("{'descr': '|u1', 'fortran_order': True, 'shape': (1, 3, 2), }") +
                                              std::string(stored.begin(), stored.end()));
  CHECK(read_npy(file).values<std::int32_t>() == std::vector<std::int32_t>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("version 2.0 and any order of keys are read") {
  const TemporaryFolder folder;
  const std::string dictionary = "{'shape':(2,),'fortran_order':False,'descr':'<f8'}\n";
  const auto file = folder.write("v2.npy", "\x93NUMPY" + std::string("\2\0", 2) +
                                               little_endian(static_cast<std::uint32_t>(dictionary.size())) +
                                               dictionary + little_endian(0.5) + little_endian(-1.0));
  CHECK(read_npy(file).values<float>() == std::vector<float>{0.5F, -1});
}

TEST_CASE("numbers that do not fit another type are refused") {
  const TemporaryFolder folder;
  const auto refused = [&](const auto& values, std::string_view part, auto wanted) {
    write_npy(folder / "a.npy", {static_cast<std::int64_t>(values.size())}, values);
    const NpyArray array = read_npy(folder / "a.npy");
    const std::string message =
        message_of([&] { static_cast<void>(array.template values<decltype(wanted)>()); }, ErrorKind::input);
    CHECK_MESSAGE(message.find(part) != std::string::npos, message);
  };
  refused(std::array{1.0, 1.5}, "holds 1.5, expected a whole number that fits int32", std::int32_t{});
  refused(std::array{2147483648.0}, "holds 2147483648", std::int32_t{});
  refused(std::array{std::nan("")}, "holds nan", std::int64_t{});
  refused(std::array{9223372036854775808.0}, "fits int64", std::int64_t{});
  refused(std::array{-1.0F}, "holds -1, expected a whole number that fits uint8", std::uint8_t{});
  refused(std::array{std::int64_t{1} << 40}, "holds 1099511627776", std::int32_t{});
  CHECK(message_of([&] { static_cast<void>(read_npy(folder / "a.npy").as<float>()); }, ErrorKind::input) ==
        "an array holds int64, expected float32");
  write_npy(folder / "a.npy", {2}, std::array{-2147483648.0, 2147483647.0});
  CHECK(read_npy(folder / "a.npy").values<std::int32_t>() == std::vector<std::int32_t>{-2147483647 - 1, 2147483647});
}

TEST_CASE("whatever is no plain array is refused with a sentence") {
  struct Case {
    const char* name;
    std::string file;
    const char* message;
  };
  const auto dictionary = [](const char* text, std::size_t data) { return npy_header(text) + std::string(data, 'x'); };
  const std::vector<Case> cases = {
      {"empty", "", "does not begin with \\x93NUMPY"},
      {"text", "hello, this is text", "does not begin with \\x93NUMPY"},
      {"version 3", "\x93NUMPY" + std::string("\3\0\0\0\0\0", 6), "is a .npy file of version 3.0, expected 1.0 or 2.0"},
      {"header of 4 GB", "\x93NUMPY" + std::string("\2\0\xff\xff\xff\xff", 6),
       "claims a .npy header of 4294967295 bytes, expected at most 65536"},
      {"header beyond the file", "\x93NUMPY" + std::string("\1\0\x76\0{", 5),
       ".npy header at byte 10 takes 118 bytes, but only 1 are left"},
      {"pickle", dictionary("{'descr': '|O', 'fortran_order': False, 'shape': (), }", 8),
       "elements of type '|O', expected one of <f4, <f8, <i4, <i8, |u1, |i1; pickled objects are not read here"},
      {"big-endian", dictionary("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", 4),
       "elements of type '>f4'"},
      {"structured", dictionary("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4),
       "has no ''' at character 10"},
      {"too short", dictionary("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", 15),
       "has 15 bytes of data, which do not make the shape [2, 2] of float32"},
      {"too long", dictionary("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", 20),
       "has 20 bytes of data"},
      {"2^32 x 2^32", dictionary("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 0),
       "do not make the shape [4294967296, 4294967296]"},
      {"2^64", dictionary("{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551616,), }", 0),
       "dimension below 2^63"},
      {"negative", dictionary("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 4), "has no dimension"},
      {"9 dimensions", dictionary("{'descr': '|u1', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }", 1),
       "after 8 dimensions"},
      {"no tuple", dictionary("{'descr': '|u1', 'fortran_order': False, 'shape': (1), }", 1), "has no ',' as in (3,)"},
      {"comma missing", dictionary("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2 3), }", 6), "has no ')'"},
      {"key twice", dictionary("{'descr': '|u1', 'descr': '|u1', 'shape': (1,), }", 1), "once each, nothing else"},
      {"key missing", dictionary("{'descr': '|u1', 'shape': (1,), }", 1), "once each, nothing else"},
      {"code", dictionary("{'descr': '|u1', 'fortran_order': __import__('os').system('id'), 'shape': (1,), }", 1),
       "has no 'False'"},
      {"after the end", dictionary("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), } + []", 1),
       "nothing else"},
  };
  const TemporaryFolder folder;
  for (const Case& each : cases) {
    const auto file = folder.write("bad.npy", each.file);
    check_refused(each.name, each.message, [&] { static_cast<void>(read_npy(file, ErrorKind::model)); });
  }
  const auto file = folder.write("bad.npy", "text");
  CHECK(message_of([&] { static_cast<void>(read_npy(file)); }, ErrorKind::input).starts_with(file.string()));
}

TEST_CASE("a damaged array opens or is refused") {
  const TemporaryFolder folder;
  write_npy(folder / "a.npy", {3, 4}, counting(12));
  check_damaged(folder, read_all(folder / "a.npy"), 1,
                [](const auto& file) { static_cast<void>(read_npy(file, ErrorKind::model)); });
}

TEST_CASE("only arrays that fit their shape are written") {
  const TemporaryFolder folder;
  CHECK(message_of(
            [&] {
              write_npy(folder / "a.npy", {2, 3}, counting(5));
            },
            ErrorKind::storage)
            .find("20 bytes do not make the shape [2, 3]") != std::string::npos);
  CHECK(message_of([&] { write_npy(folder / "a.npy", DataType::f16, std::array<std::int64_t, 1>{0}, {}); },
                   ErrorKind::storage)
            .find("float16") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / "a.npy"));
}

}  // namespace
}  // namespace wajah
