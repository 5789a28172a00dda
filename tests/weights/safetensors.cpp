// The .safetensors format, read and written.
#include <doctest/doctest.h>
#include <wajah/text.hpp>
#include <wajah/weights.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "convert/files.hpp"

namespace wajah {
namespace {

std::string safetensors(std::string_view header, std::string_view data = "") {
  return little_endian(std::uint64_t{header.size()}) + std::string(header) + std::string(data);
}

std::vector<std::byte> some_bytes(std::size_t count, unsigned first) {
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>((first + i * 37) & 0xFFU);
  return bytes;
}

Weights every_type() {
  Weights::Builder builder("memory");
  builder.add("f32", DataType::f32, {3, 1}, some_bytes(12, 1));
  builder.add("f16", DataType::f16, {3}, some_bytes(6, 2));
  builder.add("bf16", DataType::bf16, {1}, some_bytes(2, 3));
  builder.add("f64", DataType::f64, {4, 4}, some_bytes(128, 4));
  builder.add("i8", DataType::i8, {7}, some_bytes(7, 5));
  builder.add("u8", DataType::u8, {64}, some_bytes(64, 6));
  builder.add("i32", DataType::i32, {}, some_bytes(4, 7));
  builder.add("i64", DataType::i64, {2}, some_bytes(16, 8));
  builder.add("none", DataType::f32, {0, 5}, {});
  builder.add("a \"quoted\\ name\"\n\xC3\xA9", DataType::u8, {1}, some_bytes(1, 9));
  builder.metadata("architecture", "none").metadata("licence", "line 1\nline 2\t\x01");
  return std::move(builder).build();
}

void check_same(const Weights& got, const Weights& expected) {
  REQUIRE(got.names() == expected.names());
  CHECK(got.metadata() == expected.metadata());
  for (const auto& [name, tensor] : expected.tensors()) {
    const Tensor& read = got.raw(name);
    CHECK(read.type == tensor.type);
    CHECK(read.shape == tensor.shape);
    CHECK(std::ranges::equal(read.bytes, tensor.bytes));
  }
}

TEST_CASE("writing and reading changes no bit") {
  const TemporaryFolder folder;
  const Weights weights = every_type();
  write_safetensors(weights, folder / "a.safetensors");
  const Weights read = read_safetensors(folder / "a.safetensors");
  check_same(read, weights);
  CHECK(fingerprint(read) == fingerprint(weights));
  CHECK(read.source() == (folder / "a.safetensors").string());

  write_safetensors(read, folder / "b.safetensors");
  CHECK(read_all(folder / "a.safetensors") == read_all(folder / "b.safetensors"));
}

TEST_CASE("data starts at a multiple of 64 bytes, and so does every tensor of such a size") {
  const TemporaryFolder folder;
  write_safetensors(every_type(), folder / "a.safetensors");
  const std::string file = read_all(folder / "a.safetensors");
  std::uint64_t header = 0;
  std::memcpy(&header, file.data(), sizeof(header));
  CHECK((header + 8) % 64 == 0);
  const Weights read = read_safetensors(folder / "a.safetensors");
  const auto remainder = [&](const char* name) {
    return reinterpret_cast<std::uintptr_t>(read.raw(name).bytes.data()) % 64;
  };
  CHECK(remainder("f64") == 0);
  CHECK(remainder("u8") == 0);
  CHECK(remainder("i64") % 16 == 0);
  CHECK(remainder("f32") % 4 == 0);
}

TEST_CASE("a file as huggingface writes it is read") {
  const TemporaryFolder folder;
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"b\u00e9\ud83d\ude00":{"shape":[2],"data_offsets":[4,12],"dtype":"F32"},)"
      R"( "a" : { "dtype" : "I32" , "shape" : [ ] , "data_offsets" : [ 0 , 4 ] } }   )";
  const std::vector<float> values = {1.5F, -2};
  const auto file = folder.write("m", safetensors(header, little_endian(std::int32_t{7}) + bytes_of(values)));
  const Weights weights = read_safetensors(file);
  CHECK(weights.names() == std::vector<std::string>{"a", "b\xC3\xA9\xF0\x9F\x98\x80"});
  CHECK(weights.get("b\xC3\xA9\xF0\x9F\x98\x80", {2})[1] == -2);
  CHECK(weights.raw("a").shape.empty());
  CHECK(weights.metadata().at("format") == "pt");
}

TEST_CASE("an empty set is a file too") {
  const TemporaryFolder folder;
  write_safetensors(Weights(), folder / "empty");
  CHECK(read_safetensors(folder / "empty").names().empty());
}

TEST_CASE("whatever the format does not allow is refused with a sentence") {
  struct Case {
    const char* name;
    std::string file;
    const char* message;
  };
  const auto tensor = [](const char* members) { return fmt::format(R"({{"t":{{{}}}}})", members); };
  const std::string four(4, '\0');
  const std::string good = R"("dtype":"F32","shape":[1],"data_offsets":[0,4])";
  const std::vector<Case> cases = {
      {"empty", "", "is 0 bytes long, too short for a safetensors file"},
      {"header beyond the file", little_endian(std::uint64_t{100}) + "{}",
       "claims a safetensors header of 100 bytes, expected at most 2"},
      {"header of 2^64 - 1", little_endian(~std::uint64_t{0}) + "{}",
       "claims a safetensors header of 18446744073709551615 bytes"},
      {"not an object", safetensors("[]"), "its header does not begin with '{'"},
      {"no end", safetensors("{"), "has its end at byte 1, expected '\"'"},
      {"trailing text", safetensors("{} x"), "has 'x' at byte 3, expected nothing after"},
      {"trailing comma", safetensors(R"({"a":{},})"), "expected"},
      {"not UTF-8", safetensors("{\"\xFF\":1}"), "is not UTF-8"},
      {"nested too deep", safetensors(tensor(R"("dtype":{"dtype":{}})")), "expected '\"'"},
      {"unknown key", safetensors(tensor(R"("dtype":"F32","size":[1])")),
       "expected only dtype, shape and data_offsets in tensor 't'"},
      {"key twice", safetensors(tensor(R"("dtype":"F32","dtype":"F32")")), "expected each key of tensor 't' once"},
      {"key missing", safetensors(tensor(R"("dtype":"F32","shape":[1])"), four),
       "expected dtype, shape and data_offsets of tensor 't'"},
      {"unknown type", safetensors(tensor(R"("dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4])"), four),
       "tensor 't' has the type 'F8_E4M3', expected F32, F16"},
      {"negative", safetensors(tensor(R"("dtype":"F32","shape":[-1],"data_offsets":[0,4])"), four),
       "expected a whole number without sign"},
      {"fraction", safetensors(tensor(R"("dtype":"F32","shape":[1.0],"data_offsets":[0,4])"), four), "expected ']'"},
      {"leading zero", safetensors(tensor(R"("dtype":"F32","shape":[01],"data_offsets":[0,4])"), four),
       "without sign or leading 0"},
      {"2^63", safetensors(tensor(R"("dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4])"), four),
       "below 2^63"},
      {"2^32 x 2^32",
       safetensors(tensor(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4])"), four),
       "tensor 't' has 4 bytes, which do not make the shape [4294967296, 4294967296] of float32"},
      {"9 dimensions", safetensors(tensor(R"("dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4])"), four),
       "at most 8 numbers"},
      {"shape is no size", safetensors(tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])"), four),
       "tensor 't' has 4 bytes, which"},
      {"offsets reversed", safetensors(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[4,0])"), four),
       "begin and end of tensor 't'"},
      {"one offset", safetensors(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[4])"), four),
       "begin and end of tensor 't'"},
      {"beyond the data", safetensors(tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])"), four),
       "tensor 't' ends at byte 8 of 4 bytes of data; is the file complete?"},
      {"data left over", safetensors(tensor(good.c_str()), four + "x"),
       "5 bytes of data, but its tensors end at byte 4"},
      {"overlap", safetensors(fmt::format(R"({{"t":{{{0}}},"u":{{{0}}}}})", good), four),
       "tensor 'u' begins at byte 0 of the data, expected 4"},
      {"gap", safetensors(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])"), four + four),
       "begins at byte 4 of the data, expected 0"},
      {"name twice",
       safetensors(
           R"({"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"),
       "tensor 't' is given twice"},
      {"metadata twice", safetensors(R"({"__metadata__":{},"__metadata__":{}})"), "expected __metadata__ once"},
      {"metadata that is no text", safetensors(R"({"__metadata__":{"a":1}})"), "has '1' at byte 21, expected '\"'"},
      {"control character", safetensors("{\"a\nb\":{}}"), "expected the end of a string"},
      {"half a surrogate pair", safetensors(R"({"\ud83d":{}})"), "expected a pair of surrogates"},
      {"second half first", safetensors(R"({"\ude00":{}})"), "expected a pair of surrogates"},
      {"unknown escape", safetensors(R"({"\x":{}})"), "expected one of JSON's escapes"},
      {"log forgery", safetensors(R"({"t\n2024 matched":{"dtype":"F32","shape":[1],"data_offsets":[0,9]}})"),
       R"(tensor 't\x0a2024 matched')"},
  };
  const TemporaryFolder folder;
  for (const Case& each : cases) {
    const auto file = folder.write("bad", each.file);
    check_refused(each.name, each.message, [&] { static_cast<void>(read_safetensors(file)); });
  }
}

TEST_CASE("a header above 100 MB is refused even where the file has it") {
  const TemporaryFolder folder;
  const auto file = folder.write("bad", little_endian(std::uint64_t{100'000'001}) + "{");
  std::filesystem::resize_file(file, 100'000'100);  // a hole: takes no room on the disk
  check_refused("long", "a safetensors header of 100000001 bytes, expected at most 100000000",
                [&] { static_cast<void>(read_safetensors(file)); });
}

TEST_CASE("a header of a million names is refused, not stored") {
  std::string header = "{";
  for (int i = 0; i < 70'000; ++i)
    header += fmt::format(R"("{}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}},)", i);
  header.back() = '}';
  const TemporaryFolder folder;
  const auto file = folder.write("bad", safetensors(header));
  check_refused("names", "more than 65536 tensors", [&] { static_cast<void>(read_safetensors(file)); });

  std::string metadata = R"({"__metadata__":{)";
  for (int i = 0; i < 5'000; ++i) metadata += fmt::format(R"("{}":"",)", i);
  metadata.back() = '}';
  const auto other = folder.write("bad", safetensors(metadata + "}"));
  check_refused("metadata", "at most 4096 entries", [&] { static_cast<void>(read_safetensors(other)); });
}

TEST_CASE("a damaged file opens or is refused") {
  const TemporaryFolder folder;
  write_safetensors(every_type(), folder / "good");
  check_damaged(folder, read_all(folder / "good"), 1,
                [](const auto& file) { static_cast<void>(read_safetensors(file)); });
}

TEST_CASE("only regular files are opened, and a FIFO is not waited for") {
  const TemporaryFolder folder;
  check_refused("folder", "is a folder, expected a file", [&] { static_cast<void>(read_safetensors(folder.path())); });
  check_refused("missing", "cannot be opened: No such file",
                [&] { static_cast<void>(read_safetensors(folder / "missing")); });
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  check_refused("fifo", "is no regular file, expected a file",
                [&] { static_cast<void>(read_safetensors(folder / "fifo")); });
}

TEST_CASE("a failed write leaves what was there, and nothing else") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "target/inside");
  CHECK(message_of([&] { write_safetensors(every_type(), folder / "target"); }, ErrorKind::storage)
            .find("target: cannot be written") != std::string::npos);
  CHECK(std::filesystem::is_directory(folder / "target/inside"));
  CHECK(message_of([&] { write_safetensors(every_type(), folder / "no/such/folder"); }, ErrorKind::storage)
            .find("No such file") != std::string::npos);

  Weights::Builder builder("memory");
  builder.add("\xFF", {1}, counting(1));
  const Weights unwritable = std::move(builder).build();
  const auto kept = folder.write("kept", "as it was");
  CHECK(message_of([&] { write_safetensors(unwritable, kept); }, ErrorKind::storage)
            .find(R"(the name '\xff' is not UTF-8)") != std::string::npos);
  CHECK(read_all(kept) == "as it was");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 2);
}

TEST_CASE("a file that is replaced keeps its bytes for those who have it open") {
  const TemporaryFolder folder;
  const Weights weights = every_type();
  write_safetensors(weights, folder / "model");
  const Weights open = read_safetensors(folder / "model");
  write_safetensors(Weights(), folder / "model");
  check_same(open, weights);
}

}  // namespace
}  // namespace wajah
