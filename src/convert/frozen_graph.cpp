#include <wajah/convert/frozen_graph.hpp>
#include <wajah/convert/protobuf.hpp>
#include <wajah/file.hpp>
#include <wajah/text.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

namespace wajah {
namespace {

// tensorflow/core/framework/types.proto; the other types are no weights.
constexpr std::array<std::pair<std::uint64_t, DataType>, 8> type_codes = {{{1, DataType::f32},
                                                                           {2, DataType::f64},
                                                                           {3, DataType::i32},
                                                                           {4, DataType::u8},
                                                                           {6, DataType::i8},
                                                                           {9, DataType::i64},
                                                                           {14, DataType::bf16},
                                                                           {19, DataType::f16}}};

std::optional<DataType> type_of(std::uint64_t code) {
  const auto* known = std::ranges::find(type_codes, code, &std::pair<std::uint64_t, DataType>::first);
  return known == type_codes.end() ? std::nullopt : std::optional(known->second);
}

// A TensorProto as far as weights need it: the numbers in one piece, or listed one by one.
struct TensorProto {
  std::uint64_t type = 0;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> content;
  std::vector<float> listed;
};

struct Node {
  std::string_view name, op;
  std::optional<ProtobufField> value;  // the attribute 'value', an AttrValue
};

class GraphReader {
 public:
  explicit GraphReader(std::shared_ptr<const MappedFile> file)
      : file_(std::move(file)), builder_(file_->name()), listed_left_(file_->bytes().size()) {
    builder_.keep(file_);
  }

  Weights read();

 private:
  void node(ProtobufReader message);
  static void attribute(ProtobufReader entry, Node& node);
  void constant(std::string_view name, ProtobufReader value);
  [[nodiscard]] TensorProto tensor(ProtobufReader message) const;
  void list(const ProtobufField& field, std::vector<float>& listed) const;
  void add_listed(std::string_view name, TensorProto tensor);

  std::shared_ptr<const MappedFile> file_;
  Weights::Builder builder_;
  std::size_t listed_left_;  // bytes; see add_listed
  std::size_t constants_ = 0;
};

void GraphReader::list(const ProtobufField& field, std::vector<float>& listed) const {
  if (field.wire == WireType::fixed32) {
    const auto bits = static_cast<std::uint32_t>(field.value);
    float value = 0;
    std::memcpy(&value, &bits, sizeof(value));
    listed.push_back(value);
    return;
  }
  ByteReader packed(field.bytes, file_->name(), ErrorKind::model, field.offset);
  while (packed.remaining() != 0) listed.push_back(packed.number<float>("float_val"));
}

std::vector<std::int64_t> shape_of(ProtobufReader message) {
  std::vector<std::int64_t> shape;
  ProtobufField dimension;
  while (message.next(dimension)) {
    if (!dimension.is(2, WireType::bytes) || shape.size() > Weights::max_rank) continue;  // one too many: refused later
    std::int64_t size = 0;
    ProtobufReader fields = message.child(dimension);
    ProtobufField field;
    while (fields.next(field)) {
      if (field.is(1, WireType::varint)) size = static_cast<std::int64_t>(field.value);
    }
    shape.push_back(size);
  }
  return shape;
}

TensorProto GraphReader::tensor(ProtobufReader message) const {
  TensorProto tensor;
  ProtobufField field;
  while (message.next(field)) {
    if (field.is(1, WireType::varint)) tensor.type = field.value;
    if (field.is(2, WireType::bytes)) tensor.shape = shape_of(message.child(field));
    if (field.is(4, WireType::bytes)) tensor.content = field.bytes;
    if (field.is(5, WireType::bytes) || field.is(5, WireType::fixed32)) list(field, tensor.listed);
  }
  return tensor;
}

// TensorFlow repeats the last listed number over the rest of the shape. A few bytes could so ask for gigabytes; what
// all lists together may grow to is the size of the file.
void GraphReader::add_listed(std::string_view name, TensorProto tensor) {
  const std::optional<std::size_t> count = element_count(tensor.shape);
  if (!count || tensor.listed.size() > *count || tensor.listed.empty() != (*count == 0)) {
    fail(ErrorKind::model, "{}: tensor {} lists {} numbers, which do not make the shape {}", file_->name(), quote(name),
         tensor.listed.size(), shape_text(tensor.shape));
  }
  if (*count > listed_left_ / sizeof(float)) {
    fail(ErrorKind::model, "{}: tensor {} repeats a number over the shape {}, larger than the whole file of {} bytes",
         file_->name(), quote(name), shape_text(tensor.shape), file_->bytes().size());
  }
  listed_left_ -= *count * sizeof(float);
  if (*count != 0) tensor.listed.resize(*count, float{tensor.listed.back()});
  builder_.add(std::string(name), std::move(tensor.shape), tensor.listed);
}

void GraphReader::constant(std::string_view name, ProtobufReader value) {
  ProtobufField field;
  while (value.next(field)) {
    if (!field.is(8, WireType::bytes)) continue;
    TensorProto found = tensor(value.child(field));
    const std::optional<DataType> type = type_of(found.type);
    if (!type) continue;
    ++constants_;
    if (!found.content.empty()) {
      builder_.view(std::string(name), *type, std::move(found.shape), found.content);
    } else if (*type == DataType::f32) {
      add_listed(name, std::move(found));
    }
  }
}

void GraphReader::attribute(ProtobufReader entry, Node& node) {
  ProtobufField field, value;
  bool is_value = false;
  while (entry.next(field)) {
    if (field.is(1, WireType::bytes)) is_value = field.text() == "value";
    if (field.is(2, WireType::bytes)) value = field;
  }
  if (is_value) node.value = value;
}

void GraphReader::node(ProtobufReader message) {
  Node node;
  ProtobufField field;
  while (message.next(field)) {
    if (field.is(1, WireType::bytes)) node.name = field.text();
    if (field.is(2, WireType::bytes)) node.op = field.text();
    if (field.is(5, WireType::bytes)) attribute(message.child(field), node);
  }
  if (node.op == "Const" && node.value) constant(node.name, message.child(*node.value));
}

Weights GraphReader::read() {
  ProtobufReader graph(file_->bytes(), file_->name());
  ProtobufField field;
  while (graph.next(field)) {
    if (field.is(1, WireType::bytes)) node(graph.child(field));
  }
  if (constants_ == 0) {
    fail(ErrorKind::model, "{}: holds no constant tensor; is it a frozen TensorFlow graph?", file_->name());
  }
  return std::move(builder_).build();
}

}  // namespace

Weights read_frozen_graph(const std::filesystem::path& file) {
  return GraphReader(std::make_shared<const MappedFile>(file)).read();
}

}  // namespace wajah
