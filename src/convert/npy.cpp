#include <wajah/convert/npy.hpp>
#include <wajah/file.hpp>
#include <wajah/text.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

namespace wajah {
namespace {

constexpr std::string_view magic("\x93NUMPY", 6);
constexpr std::size_t max_header = 64 * 1024;  // real ones have 118 bytes

struct TypeCode {
  std::string_view descr;
  DataType type;
};

constexpr std::array<TypeCode, 6> type_codes = {{{"<f4", DataType::f32},
                                                 {"<f8", DataType::f64},
                                                 {"|u1", DataType::u8},
                                                 {"|i1", DataType::i8},
                                                 {"<i4", DataType::i32},
                                                 {"<i8", DataType::i64}}};

// Parses the Python literal that numpy.save writes: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const ByteReader& file) : text_(text), file_(file) {}

  NpyHeader parse();

 private:
  [[noreturn]] void fail_at(std::string_view expected) const {
    fail(file_.kind(), "{}: .npy header {} has no {} at character {}", file_.source(), quote(text_), expected, at_);
  }
  void skip_space();
  bool accept(std::string_view token);
  void expect(std::string_view token) {
    if (!accept(token)) fail_at(quote(token));
  }
  std::string string();
  bool boolean();
  std::int64_t dimension();
  std::vector<std::int64_t> shape();

  std::string_view text_;
  const ByteReader& file_;
  std::size_t at_ = 0;
};

void HeaderParser::skip_space() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
}

bool HeaderParser::accept(std::string_view token) {
  skip_space();
  if (!text_.substr(at_).starts_with(token)) return false;
  at_ += token.size();
  return true;
}

std::string HeaderParser::string() {
  expect("'");
  const std::size_t end = text_.find('\'', at_);
  if (end == std::string_view::npos) fail_at("closing quote");
  const std::size_t begin = std::exchange(at_, end + 1);
  return std::string(text_.substr(begin, end - begin));
}

bool HeaderParser::boolean() {
  if (accept("True")) return true;
  expect("False");
  return false;
}

std::int64_t HeaderParser::dimension() {
  skip_space();
  std::int64_t value = 0;
  const std::size_t start = at_;
  for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
    if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, text_[at_] - '0', &value)) {
      fail_at("dimension below 2^63");
    }
  }
  if (at_ == start) fail_at("dimension");
  return value;
}

std::vector<std::int64_t> HeaderParser::shape() {
  std::vector<std::int64_t> shape;
  expect("(");
  while (!accept(")")) {
    if (shape.size() == Weights::max_rank) fail_at("end of the shape after 8 dimensions");
    shape.push_back(dimension());
    if (accept(",")) continue;
    if (shape.size() == 1) fail_at("',' as in (3,)");
    expect(")");
    break;
  }
  return shape;
}

NpyHeader HeaderParser::parse() {
  NpyHeader header;
  std::array<bool, 3> seen{};
  expect("{");
  while (!accept("}")) {
    const std::string key = string();
    expect(":");
    if (key == "descr" && !std::exchange(seen[0], true)) {
      header.descr = string();
    } else if (key == "fortran_order" && !std::exchange(seen[1], true)) {
      header.fortran_order = boolean();
    } else if (key == "shape" && !std::exchange(seen[2], true)) {
      header.shape = shape();
    } else {
      fail_at("descr, fortran_order and shape once each, nothing else,");
    }
    if (accept(",")) continue;
    expect("}");
    break;
  }
  skip_space();
  if (!seen[0] || !seen[1] || !seen[2] || at_ != text_.size())
    fail_at("descr, fortran_order and shape once each, nothing else,");
  return header;
}

DataType type_of(const NpyHeader& header, const ByteReader& file) {
  const auto* known = std::ranges::find(type_codes, header.descr, &TypeCode::descr);
  if (known == type_codes.end()) {
    const bool pickled = header.descr.find('O') != std::string::npos;
    fail(file.kind(), "{}: holds elements of type {}, expected one of <f4, <f8, <i4, <i8, |u1, |i1{}", file.source(),
         quote(header.descr), pickled ? "; pickled objects are not read here" : "");
  }
  return known->type;
}

// The bytes of the whole array, which must be all that is left of the file.
std::span<const std::byte> take_data(ByteReader& reader, DataType type, std::span<const std::int64_t> shape) {
  const std::optional<std::size_t> count = element_count(shape);
  if (!count || reader.remaining() % size_of(type) != 0 || reader.remaining() / size_of(type) != *count) {
    fail(reader.kind(), "{}: has {} bytes of data, which do not make the shape {} of {}; is the file complete?",
         reader.source(), reader.remaining(), shape_text(shape), name_of(type));
  }
  return reader.take(reader.remaining(), "data");
}

template <class T, class Source>
T convert(Source value) {
  if constexpr (std::integral<T> && std::floating_point<Source>) {
    // 2^digits is exact in any float, the integer's own maximum is not.
    const Source limit = std::ldexp(Source{1}, std::numeric_limits<T>::digits);
    const Source lowest = std::signed_integral<T> ? -limit : Source{0};
    if (!(value >= lowest && value < limit) || value != std::trunc(value)) {
      fail(ErrorKind::input, "an array holds {}, expected a whole number that fits {}", value,
           name_of(data_type_of<T>()));
    }
  } else if constexpr (std::integral<T>) {
    if (!std::in_range<T>(value)) {
      fail(ErrorKind::input, "an array holds {}, expected a whole number that fits {}", value,
           name_of(data_type_of<T>()));
    }
  }
  return static_cast<T>(value);
}

template <class T, class Source>
std::vector<T> converted(std::span<const std::byte> bytes) {
  std::vector<T> values(bytes.size() / sizeof(Source));
  for (std::size_t i = 0; i < values.size(); ++i) {
    Source value;
    std::memcpy(&value, bytes.data() + i * sizeof(Source), sizeof(Source));
    values[i] = convert<T>(value);
  }
  return values;
}

}  // namespace

template <class T>
std::vector<T> NpyArray::values() const {
  switch (type) {
    case DataType::f32: return converted<T, float>(bytes);
    case DataType::f64: return converted<T, double>(bytes);
    case DataType::u8: return converted<T, std::uint8_t>(bytes);
    case DataType::i8: return converted<T, std::int8_t>(bytes);
    case DataType::i32: return converted<T, std::int32_t>(bytes);
    case DataType::i64: return converted<T, std::int64_t>(bytes);
    default: fail(ErrorKind::input, "an array holds {}, which .npy files cannot", name_of(type));
  }
}

template std::vector<float> NpyArray::values() const;
template std::vector<double> NpyArray::values() const;
template std::vector<std::uint8_t> NpyArray::values() const;
template std::vector<std::int8_t> NpyArray::values() const;
template std::vector<std::int32_t> NpyArray::values() const;
template std::vector<std::int64_t> NpyArray::values() const;

NpyHeader read_npy_header(ByteReader& reader) {
  if (reader.remaining() < magic.size() || reader.take_text(magic.size(), "magic") != magic) {
    fail(reader.kind(), "{}: is no .npy file: it does not begin with \\x93NUMPY", reader.source());
  }
  const int major = reader.number<std::uint8_t>("version");
  const int minor = reader.number<std::uint8_t>("version");
  if ((major != 1 && major != 2) || minor != 0) {
    fail(reader.kind(), "{}: is a .npy file of version {}.{}, expected 1.0 or 2.0", reader.source(), major, minor);
  }
  const std::size_t size =
      major == 1 ? reader.number<std::uint16_t>("header length") : reader.number<std::uint32_t>("header length");
  if (size > max_header) {
    fail(reader.kind(), "{}: claims a .npy header of {} bytes, expected at most {}", reader.source(), size, max_header);
  }
  return HeaderParser(reader.take_text(size, ".npy header"), reader).parse();
}

std::vector<std::byte> row_major(std::span<const std::byte> bytes, DataType type, std::span<const std::int64_t> shape) {
  const std::size_t size = size_of(type);
  std::vector<std::byte> out(bytes.size());
  std::vector<std::int64_t> index(shape.size(), 0);
  for (std::size_t to = 0; to < out.size(); to += size) {
    std::size_t from = 0;
    for (std::size_t d = shape.size(); d-- > 0;) {
      from = from * static_cast<std::size_t>(shape[d]) + static_cast<std::size_t>(index[d]);
    }
    std::memcpy(out.data() + to, bytes.data() + from * size, size);
    for (std::size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
  return out;
}

NpyArray read_npy(const std::filesystem::path& file, ErrorKind kind) {
  const MappedFile mapped(file, kind);
  ByteReader reader(mapped.bytes(), mapped.name(), kind);
  NpyHeader header = read_npy_header(reader);
  const DataType type = type_of(header, reader);
  const std::span<const std::byte> data = take_data(reader, type, header.shape);
  std::vector<std::byte> bytes =
      header.fortran_order ? row_major(data, type, header.shape) : std::vector<std::byte>(data.begin(), data.end());
  return {type, std::move(header.shape), std::move(bytes)};
}

void write_npy(const std::filesystem::path& file, DataType type, std::span<const std::int64_t> shape,
               std::span<const std::byte> bytes) {
  const auto* code = std::ranges::find(type_codes, type, &TypeCode::type);
  const std::optional<std::size_t> count = element_count(shape);
  if (code == type_codes.end() || !count || bytes.size() != *count * size_of(type)) {
    fail(ErrorKind::storage, "{}: cannot be written: {} bytes do not make the shape {} of {}", file.string(),
         bytes.size(), shape_text(shape), name_of(type));
  }
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", code->descr,
                                   fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  constexpr std::size_t before = magic.size() + 4;
  header.resize((before + header.size() + 64) / 64 * 64 - before - 1, ' ');
  header += '\n';
  const auto length = static_cast<std::uint16_t>(header.size());
  const std::string start =
      fmt::format("{}{}{}{}{}", magic, '\1', '\0', static_cast<char>(length & 0xFF), static_cast<char>(length >> 8)) +
      header;
  const std::array<std::span<const std::byte>, 2> parts = {std::as_bytes(std::span(start)), bytes};
  write_file(file, parts);
}

}  // namespace wajah
