#include <wajah/error.hpp>
#include <wajah/file.hpp>
#include <wajah/text.hpp>
#include <wajah/weights.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <functional>
#include <tuple>

namespace wajah {
namespace {

constexpr std::size_t max_header = 100'000'000;  // the format's own limit
constexpr std::size_t data_alignment = 64;

// What a header of 100 MB could otherwise blow up to many times its size in memory.
constexpr std::size_t max_numbers = Weights::max_rank;
constexpr std::size_t max_metadata = 4096;

struct TypeCode {
  std::string_view code;
  DataType type;
};

constexpr std::array<TypeCode, 8> type_codes = {{{"F32", DataType::f32},
                                                 {"F16", DataType::f16},
                                                 {"BF16", DataType::bf16},
                                                 {"F64", DataType::f64},
                                                 {"I8", DataType::i8},
                                                 {"U8", DataType::u8},
                                                 {"I32", DataType::i32},
                                                 {"I64", DataType::i64}}};

struct Entry {
  std::string name;
  DataType type = DataType::f32;
  std::vector<std::int64_t> shape{};
  std::size_t begin = 0, end = 0;
};

struct Header {
  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;
};

void append_utf8(std::string& out, std::uint32_t code) {
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
  const auto tail = [&](unsigned shift) { byte(0x80U | ((code >> shift) & 0x3FU)); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0U | (code >> 6U));
    tail(0);
  } else if (code < 0x10000) {
    byte(0xE0U | (code >> 12U));
    tail(6);
    tail(0);
  } else {
    byte(0xF0U | (code >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

// Parses the JSON that a header may be, and no other: objects two deep, strings, arrays of whole numbers. There is no
// recursion, so no depth to bound.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, std::string_view source) : text_(text), source_(source) {}

  Header parse();

 private:
  [[noreturn]] void fail_at(std::string_view expected) const;
  void skip_space();
  bool accept(char c);
  void expect(char c);
  std::string string();
  std::uint32_t escape();
  std::uint32_t hex4();
  std::int64_t integer();
  std::vector<std::int64_t> integers();
  DataType type(std::string_view tensor);
  Entry entry(std::string name);
  std::map<std::string, std::string> metadata();

  // Calls member(key) at each value of an object.
  template <class Member>
  void object(Member member);

  std::string_view text_;
  std::string_view source_;
  std::size_t at_ = 0;
};

void HeaderParser::fail_at(std::string_view expected) const {
  const std::string came = at_ < text_.size() ? quote(text_.substr(at_, 1)) : "its end";
  fail(ErrorKind::model, "{}: safetensors header has {} at byte {}, expected {}", source_, came, at_, expected);
}

void HeaderParser::skip_space() {
  while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
}

bool HeaderParser::accept(char c) {
  skip_space();
  if (at_ >= text_.size() || text_[at_] != c) return false;
  ++at_;
  return true;
}

void HeaderParser::expect(char c) {
  if (!accept(c)) fail_at(quote({&c, 1}));
}

std::uint32_t HeaderParser::hex4() {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const std::size_t digit =
        at_ < text_.size() ? std::string_view("0123456789abcdefABCDEF").find(text_[at_]) : std::string_view::npos;
    if (digit == std::string_view::npos) fail_at("four hexadecimal digits");
    value = value * 16 + static_cast<std::uint32_t>(digit < 16 ? digit : digit - 6);
  }
  return value;
}

// The code point after a backslash; a pair of surrogates is one.
std::uint32_t HeaderParser::escape() {
  constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
  if (at_ < text_.size() && text_[at_] == 'u') {
    ++at_;
    const std::uint32_t first = hex4();
    if (first < 0xD800 || first > 0xDFFF) return first;
    if (first > 0xDBFF || text_.substr(at_, 2) != "\\u") fail_at("a pair of surrogates");
    at_ += 2;
    const std::uint32_t second = hex4();
    if (second < 0xDC00 || second > 0xDFFF) fail_at("the second half of a pair of surrogates");
    return 0x10000U + ((first - 0xD800U) << 10U) + (second - 0xDC00U);
  }
  const std::size_t index = at_ < text_.size() ? letters.find(text_[at_]) : std::string_view::npos;
  if (index == std::string_view::npos) fail_at("one of JSON's escapes");
  ++at_;
  return static_cast<unsigned char>(meanings[index]);
}

std::string HeaderParser::string() {
  expect('"');
  std::string out;
  for (;;) {
    if (at_ >= text_.size() || static_cast<unsigned char>(text_[at_]) < 0x20) fail_at("the end of a string");
    const char c = text_[at_++];
    if (c == '"') return out;
    if (c == '\\') {
      append_utf8(out, escape());
    } else {
      out += c;
    }
  }
}

std::int64_t HeaderParser::integer() {
  skip_space();
  const std::size_t start = at_;
  std::int64_t value = 0;
  for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
    if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, text_[at_] - '0', &value)) {
      fail_at("a number below 2^63");
    }
  }
  if (at_ == start || (text_[start] == '0' && at_ - start > 1)) fail_at("a whole number without sign or leading 0");
  return value;
}

std::vector<std::int64_t> HeaderParser::integers() {
  std::vector<std::int64_t> values;
  expect('[');
  if (accept(']')) return values;
  do {
    if (values.size() == max_numbers) fail_at(fmt::format("at most {} numbers in a list", max_numbers));
    values.push_back(integer());
  } while (accept(','));
  expect(']');
  return values;
}

template <class Member>
void HeaderParser::object(Member member) {
  expect('{');
  if (accept('}')) return;
  do {
    std::string key = string();
    expect(':');
    member(std::move(key));
  } while (accept(','));
  expect('}');
}

DataType HeaderParser::type(std::string_view tensor) {
  const std::string code = string();
  const auto* known = std::ranges::find(type_codes, code, &TypeCode::code);
  if (known == type_codes.end()) {
    fail(ErrorKind::model, "{}: tensor {} has the type {}, expected F32, F16, BF16, F64, I8, U8, I32 or I64", source_,
         quote(tensor), quote(code));
  }
  return known->type;
}

Entry HeaderParser::entry(std::string name) {
  Entry entry{.name = std::move(name)};
  unsigned seen = 0;
  const auto once = [&](unsigned bit) {
    if ((seen & bit) != 0) fail_at(fmt::format("each key of tensor {} once", quote(entry.name)));
    seen |= bit;
  };
  object([&](const std::string& key) {
    if (key == "dtype") {
      once(1);
      entry.type = type(entry.name);
    } else if (key == "shape") {
      once(2);
      entry.shape = integers();
    } else if (key == "data_offsets") {
      once(4);
      const std::vector<std::int64_t> offsets = integers();
      if (offsets.size() != 2 || offsets[0] > offsets[1])
        fail_at(fmt::format("begin and end of tensor {}", quote(entry.name)));
      entry.begin = static_cast<std::size_t>(offsets[0]);
      entry.end = static_cast<std::size_t>(offsets[1]);
    } else {
      fail_at(fmt::format("only dtype, shape and data_offsets in tensor {}", quote(entry.name)));
    }
  });
  if (seen != 7) fail_at(fmt::format("dtype, shape and data_offsets of tensor {}", quote(entry.name)));
  return entry;
}

std::map<std::string, std::string> HeaderParser::metadata() {
  std::map<std::string, std::string> metadata;
  object([&](const std::string& key) {
    if (metadata.size() == max_metadata) fail_at(fmt::format("at most {} entries in __metadata__", max_metadata));
    if (!metadata.emplace(key, string()).second) fail_at("each key of __metadata__ once");
  });
  return metadata;
}

Header HeaderParser::parse() {
  Header header;
  bool has_metadata = false;
  object([&](std::string key) {
    if (key != "__metadata__") {
      header.entries.push_back(entry(std::move(key)));
    } else if (std::exchange(has_metadata, true)) {
      fail_at("__metadata__ once");
    } else {
      header.metadata = metadata();
    }
  });
  skip_space();
  if (at_ != text_.size()) fail_at("nothing after the header's last brace");
  return header;
}

std::string_view header_text(const MappedFile& file) {
  const std::span<const std::byte> bytes = file.bytes();
  if (bytes.size() < 8) {
    fail(ErrorKind::model, "{}: is {} bytes long, too short for a safetensors file", file.name(), bytes.size());
  }
  std::uint64_t size = 0;
  std::memcpy(&size, bytes.data(), sizeof(size));
  if (size > max_header || size > bytes.size() - 8) {
    fail(ErrorKind::model, "{}: claims a safetensors header of {} bytes, expected at most {}; is the file complete?",
         file.name(), size, std::min(max_header, bytes.size() - 8));
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + 8, size);
  if (!text.starts_with('{'))
    fail(ErrorKind::model, "{}: is no safetensors file: its header does not begin with '{{'", file.name());
  if (!is_utf8(text)) fail(ErrorKind::model, "{}: safetensors header is not UTF-8", file.name());
  return text;
}

// Tensors in the file's order must follow each other without overlap or gap and end with it, as the format demands: a
// gap could carry another file, an overlap one tensor under two names.
void check_layout(std::vector<Entry>& entries, std::size_t data_size, std::string_view source) {
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  std::size_t expected = 0;
  for (const Entry& entry : entries) {
    if (entry.end > data_size) {
      fail(ErrorKind::model, "{}: tensor {} ends at byte {} of {} bytes of data; is the file complete?", source,
           quote(entry.name), entry.end, data_size);
    }
    if (entry.begin != expected) {
      fail(ErrorKind::model, "{}: tensor {} begins at byte {} of the data, expected {}, where the one before it ends",
           source, quote(entry.name), entry.begin, expected);
    }
    expected = entry.end;
  }
  if (expected != data_size) {
    fail(ErrorKind::model, "{}: {} bytes of data, but its tensors end at byte {}", source, data_size, expected);
  }
}

std::string json_string(std::string_view text, std::string_view target) {
  if (!is_utf8(text)) fail(ErrorKind::storage, "{}: cannot be written: the name {} is not UTF-8", target, quote(text));
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

using NamedTensor = std::pair<std::string_view, Tensor>;

// The format forbids gaps, so alignment comes from the order: sizes divisible by 64 first, then by 32, and so on. Each
// tensor then starts at a multiple of the power of two that divides its own size.
std::vector<NamedTensor> aligned_order(const Weights& weights) {
  std::vector<NamedTensor> tensors = weights.tensors();
  const auto granule = [](const NamedTensor& named) {
    const std::size_t size = named.second.bytes.size() | data_alignment;
    return size & (~size + 1);
  };
  std::ranges::stable_sort(tensors, std::greater<>(), granule);
  return tensors;
}

std::string header_of(const Weights& weights, std::span<const NamedTensor> tensors, std::string_view target) {
  std::vector<std::string> members;
  std::vector<std::string> metadata;
  for (const auto& [key, value] : weights.metadata()) {
    metadata.push_back(fmt::format("{}:{}", json_string(key, target), json_string(value, target)));
  }
  if (!metadata.empty()) members.push_back(fmt::format("\"__metadata__\":{{{}}}", fmt::join(metadata, ",")));
  std::size_t begin = 0;
  for (const auto& [name, tensor] : tensors) {
    const auto* code = std::ranges::find(type_codes, tensor.type, &TypeCode::type);
    members.push_back(fmt::format(R"({}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                                  json_string(name, target), code->code, fmt::join(tensor.shape, ","), begin,
                                  begin + tensor.bytes.size()));
    begin += tensor.bytes.size();
  }
  std::string header = fmt::format("{{{}}}", fmt::join(members, ","));
  header.resize((header.size() + 8 + data_alignment - 1) / data_alignment * data_alignment - 8, ' ');
  if (header.size() > max_header) {
    fail(ErrorKind::storage, "{}: cannot be written: its header would have {} bytes, the format allows {}", target,
         header.size(), max_header);
  }
  return header;
}

}  // namespace

Weights read_safetensors(const std::filesystem::path& file) {
  const auto mapped = std::make_shared<const MappedFile>(file);
  const std::string_view text = header_text(*mapped);
  Header header = HeaderParser(text, mapped->name()).parse();
  const std::span<const std::byte> data = mapped->bytes().subspan(8 + text.size());
  check_layout(header.entries, data.size(), mapped->name());

  Weights::Builder builder(mapped->name());
  builder.keep(mapped);
  for (Entry& entry : header.entries) {
    builder.view(std::move(entry.name), entry.type, std::move(entry.shape),
                 data.subspan(entry.begin, entry.end - entry.begin));
  }
  for (auto& [key, value] : header.metadata) builder.metadata(key, std::move(value));
  return std::move(builder).build();
}

void write_safetensors(const Weights& weights, const std::filesystem::path& file) {
  static_assert(std::endian::native == std::endian::little, "tensors are stored little-endian and written as they are");
  const std::vector<NamedTensor> tensors = aligned_order(weights);
  const std::string header = header_of(weights, tensors, file.string());
  const std::uint64_t size = header.size();
  std::vector<std::span<const std::byte>> parts = {std::as_bytes(std::span(&size, 1)),
                                                   std::as_bytes(std::span(header))};
  for (const auto& [name, tensor] : tensors) parts.push_back(tensor.bytes);
  write_file(file, parts);
}

}  // namespace wajah
