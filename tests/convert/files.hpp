// What the readers' tests share: a temporary folder, the message of an expected Error, and writers of small files in
// the formats that wajah only reads. They write what they are told, right or wrong.
#pragma once

#include <doctest/doctest.h>
#include <wajah/error.hpp>
#include <wajah/text.hpp>
#include <wajah/weights.hpp>

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace wajah {

// A folder that is gone when the test is over.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "wajah-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  // A new file each time: to truncate one that exists makes ext4 wait for the disk, thousands of times in these tests.
  std::filesystem::path write(std::string_view name, std::string_view bytes) const {
    std::filesystem::remove(path_ / name);
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

inline std::string read_all(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// The message of the Error that `act` throws, which must be of the given kind.
inline std::string message_of(auto&& act, ErrorKind kind = ErrorKind::model) {
  try {
    act();
  } catch (const Error& error) {
    CHECK(error.kind() == kind);
    return error.what();
  }
  return "(no Error was thrown)";
}

// Fails unless `act` throws an Error (model) whose message contains `part`, and is one line.
inline void check_refused(const std::string& name, std::string_view part, auto&& act) {
  const std::string message = message_of(act);
  CHECK_MESSAGE(message.find(part) != std::string::npos, name << ": the message is \"" << message
                                                              << "\", expected it to contain \"" << std::string(part)
                                                              << "\"");
  CHECK_MESSAGE(message.find('\n') == std::string::npos, name << ": the message has several lines");
}

// Opens damaged copies of a file: cut at every `step`th byte, then with single bytes changed. Each must open or throw
// an Error (model), and a cut one must throw; a crash, a hang or any other exception fails the test.
inline void check_damaged(const TemporaryFolder& folder, const std::string& genuine, std::size_t step, auto&& open) {
  for (std::size_t size = 0; size < genuine.size(); size += step) {
    const auto file = folder.write("damaged", std::string_view(genuine).substr(0, size));
    const std::string message = message_of([&] { open(file); });
    CHECK_MESSAGE(message.find(file.string()) == 0, "cut to " << size << " bytes: " << message);
  }
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) {
    std::string bytes = genuine;
    // The structure of every format is at the beginning or between the data: half of the changes go to the first bytes.
    const std::size_t range = i % 2 == 0 ? bytes.size() : std::min<std::size_t>(bytes.size(), 512);
    bytes[random() % range] = static_cast<char>(random() % 256);
    const auto file = folder.write("damaged", bytes);
    try {
      open(file);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::model);
    }
  }
}

inline std::string bytes_of(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

template <class T>
std::string little_endian(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

// Different, exactly representable numbers: a value tells where it came from.
inline std::vector<float> counting(std::size_t count, float first = 0) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = first + static_cast<float>(i) / 8;
  return values;
}

// --- .npy and pickles, as NumPy writes them ---

inline std::string npy_header(std::string_view dictionary) {
  return fmt::format("\x93NUMPY{}{}{}{}", '\1', '\0', little_endian(static_cast<std::uint16_t>(dictionary.size() + 1)),
                     dictionary) +
         "\n";
}

inline const std::string object_header = npy_header("{'descr': '|O', 'fortran_order': False, 'shape': (), }");

namespace pickle {

inline std::string opcodes(std::initializer_list<int> bytes) {
  std::string out;
  for (const int byte : bytes) out += static_cast<char>(byte);
  return out;
}
inline std::string text(std::string_view value) {
  return "T" + little_endian(static_cast<std::int32_t>(value.size())) + std::string(value);
}
inline std::string integer(std::int64_t value) { return "J" + little_endian(static_cast<std::int32_t>(value)); }
inline std::string global(std::string_view module, std::string_view name) {
  return fmt::format("c{}\n{}\n", module, name);
}

inline const std::string protocol = opcodes({0x80, 2});
inline const std::string yes = opcodes({0x88}), no = opcodes({0x89});

inline std::string tuple(std::initializer_list<std::string> items) {
  std::string out = "(";
  for (const std::string& item : items) out += item;
  return out + "t";
}
inline std::string dtype(std::string_view code, std::string_view order) {
  return global("numpy", "dtype") + tuple({text(code), integer(0), integer(1)}) + "R" +
         tuple({integer(3), text(order), "NNN", integer(-1), integer(-1), integer(0)}) + "b";
}
inline std::string array(const std::string& shape, const std::string& type, const std::string& fortran,
                         const std::string& data) {
  return global("numpy.core.multiarray", "_reconstruct") +
         tuple({global("numpy", "ndarray"), tuple({integer(0)}), text("b")}) + "R" +
         tuple({integer(1), shape, type, fortran, data}) + "b";
}
inline std::string shape(std::span<const std::int64_t> dimensions) {
  std::string out = "(";
  for (const std::int64_t dimension : dimensions) out += integer(dimension);
  return out + "t";
}
inline std::string floats(std::span<const std::int64_t> dimensions, std::span<const float> values) {
  return array(shape(dimensions), dtype("f4", "<"), no, text(bytes_of(values)));
}

// {layer: {field: array}} of pickled arrays, as a whole det?.npy.
using Layers = std::vector<std::pair<std::string, std::vector<std::pair<std::string, std::string>>>>;

inline std::string dictionary(const Layers& layers) {
  std::string out = "}(";
  for (const auto& [layer, fields] : layers) {
    out += text(layer) + "}(";
    for (const auto& [field, value] : fields) out += text(field) + value;
    out += "u";
  }
  return out + "u";
}
inline std::string file_of(const std::string& object) {
  return object_header + protocol + array(shape({}), dtype("O8", "|"), no, "]" + object + "a") + ".";
}
inline std::string file(const Layers& layers) { return file_of(dictionary(layers)); }

}  // namespace pickle

// --- Protocol Buffers ---

namespace protobuf {

inline std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7U) out += static_cast<char>((value & 0x7FU) | 0x80U);
  return out + static_cast<char>(value);
}
inline std::string key(std::uint32_t number, unsigned wire) { return varint((std::uint64_t{number} << 3U) | wire); }
inline std::string number(std::uint32_t field, std::int64_t value) {
  return key(field, 0) + varint(static_cast<std::uint64_t>(value));
}
inline std::string bytes(std::uint32_t field, std::string_view value) {
  return key(field, 2) + varint(value.size()) + std::string(value);
}
inline std::string real(std::uint32_t field, float value) { return key(field, 5) + little_endian(value); }

}  // namespace protobuf

}  // namespace wajah
