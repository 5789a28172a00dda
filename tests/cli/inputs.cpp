#include "cli/inputs.hpp"

#include "cli/drawn_faces.hpp"
#include "cli/random_weights.hpp"

#include <wajah/image_io.hpp>
#include <wajah/weights.hpp>

#include <array>

namespace wajah::test {
namespace {

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift);
  return bytes;
}

// Protocol-buffer wire format: enough of it to write one node.
std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7U) bytes += static_cast<char>(value | 0x80U);
  return bytes + static_cast<char>(value);
}
std::string field(int number, const std::string& bytes) {
  return varint(static_cast<std::uint64_t>(number) << 3U | 2U) + varint(bytes.size()) + bytes;
}
std::string field(int number, std::uint64_t value) {
  return varint(static_cast<std::uint64_t>(number) << 3U) + varint(value);
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace

void write_random_mtcnn(const Workplace& place) { write_safetensors(cli::random_mtcnn(), place / "mtcnn.safetensors"); }
void write_random_embedder(const Workplace& place) {
  write_safetensors(cli::random_embedder(), place / "embedder.safetensors");
}

std::string drawn_jpeg() {
  const std::vector<std::byte> bytes = encode_jpeg(cli::draw_two_faces().image);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string png_header(std::uint32_t width, std::uint32_t height) {
  const std::string chunk = "IHDR" + big_endian(width) + big_endian(height) + std::string("\x08\x02\x00\x00\x00", 5);
  std::uint32_t crc = 0xFFFFFFFFU;  // of PNG's specification, annex D
  for (const char c : chunk) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? 0xEDB88320U ^ (crc >> 1U) : crc >> 1U;
  }
  return "\x89PNG\r\n\x1A\n" + big_endian(13) + chunk + big_endian(~crc) + big_endian(1000) + "IDAT" +
         std::string(100, 'x');
}

std::string npy(std::string_view header, std::string_view data) {
  std::string text(header);
  while ((text.size() + 11) % 64 != 0) text += ' ';
  text += '\n';
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(text.size() & 0xFFU) +
         static_cast<char>(text.size() >> 8U) + text + std::string(data);
}

std::string npy_of(const std::vector<float>& values, const std::string& shape) {
  return npy("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }", bytes_of(values));
}

std::string npy_of(const std::vector<std::int64_t>& values) {
  return npy("{'descr': '<i8', 'fortran_order': False, 'shape': (" + std::to_string(values.size()) + ",), }",
             bytes_of(values));
}

std::string frozen_graph(const std::string& node, const std::vector<int>& shape) {
  std::string dimensions;
  std::size_t size = 1;
  for (const int n : shape) {
    dimensions += field(2, field(1, static_cast<std::uint64_t>(n)));
    size *= static_cast<std::size_t>(n);
  }
  constexpr std::uint64_t dt_float = 1;
  const std::string tensor = field(1, dt_float) + field(2, dimensions) + field(4, std::string(size * 4, '\0'));
  const auto attribute = [](const std::string& key, const std::string& value) {
    return field(5, field(1, key) + field(2, value));
  };
  return field(1, field(1, node) + field(2, std::string("Const")) + attribute("dtype", field(6, dt_float)) +
                      attribute("value", field(8, tensor)));
}

}  // namespace wajah::test
