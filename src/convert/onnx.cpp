#include <wajah/convert/onnx.hpp>
#include <wajah/convert/protobuf.hpp>
#include <wajah/file.hpp>
#include <wajah/text.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <utility>

namespace wajah {
namespace {

// Nodes, names, attributes and their integers, all together: an empty name takes two bytes in the file and many more in
// memory. MobileFaceNet has about 1,700.
constexpr std::size_t max_parts = 262'144;

// TensorProto.DataType of onnx.proto3; the other types are no weights.
constexpr std::array<std::pair<std::uint64_t, DataType>, 8> type_codes = {{{1, DataType::f32},
                                                                           {2, DataType::u8},
                                                                           {3, DataType::i8},
                                                                           {6, DataType::i32},
                                                                           {7, DataType::i64},
                                                                           {10, DataType::f16},
                                                                           {11, DataType::f64},
                                                                           {16, DataType::bf16}}};

std::optional<DataType> type_of(std::uint64_t code) {
  const auto* known = std::ranges::find(type_codes, code, &std::pair<std::uint64_t, DataType>::first);
  return known == type_codes.end() ? std::nullopt : std::optional(known->second);
}

struct TensorProto {
  std::string_view name;
  std::uint64_t type = 0;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> raw;
  std::vector<float> listed;
  bool external = false;
};

class ModelReader {
 public:
  explicit ModelReader(std::shared_ptr<const MappedFile> file) : file_(std::move(file)), builder_(file_->name()) {
    builder_.keep(file_);
  }

  OnnxGraph read();

 private:
  void graph(ProtobufReader message);
  void node(ProtobufReader message);
  void attribute(ProtobufReader message, OnnxNode& node);
  void add(std::string_view name, TensorProto tensor);
  [[nodiscard]] TensorProto tensor(ProtobufReader message) const;
  void list(const ProtobufField& field, std::vector<float>& listed) const;
  void count_part();

  std::shared_ptr<const MappedFile> file_;
  Weights::Builder builder_;
  std::vector<OnnxNode> nodes_;
  std::size_t parts_ = 0;
};

void ModelReader::count_part() {
  if (++parts_ > max_parts) {
    fail(ErrorKind::model, "{}: has more than {} nodes, names and attributes; is it a model of wajah's?", file_->name(),
         max_parts);
  }
}

void ModelReader::list(const ProtobufField& field, std::vector<float>& listed) const {
  if (field.wire == WireType::fixed32) {
    listed.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(field.value)));
    return;
  }
  ByteReader packed(field.bytes, file_->name(), ErrorKind::model, field.offset);
  while (packed.remaining() != 0) listed.push_back(packed.number<float>("float_data"));
}

TensorProto ModelReader::tensor(ProtobufReader message) const {
  TensorProto tensor;
  ProtobufField field;
  while (message.next(field)) {
    if (field.is(8, WireType::bytes)) tensor.name = field.text();
    if (field.is(2, WireType::varint)) tensor.type = field.value;
    if (field.is(1, WireType::bytes) || field.is(1, WireType::varint)) {
      // One more than allowed is enough for the refusal, which needs the name, and that may come later.
      message.varints(field, [&](std::uint64_t size) {
        if (tensor.shape.size() <= Weights::max_rank) tensor.shape.push_back(static_cast<std::int64_t>(size));
      });
    }
    if (field.is(9, WireType::bytes)) tensor.raw = field.bytes;
    if (field.is(4, WireType::bytes) || field.is(4, WireType::fixed32)) list(field, tensor.listed);
    if (field.number == 13 || (field.is(14, WireType::varint) && field.value == 1)) tensor.external = true;
  }
  return tensor;
}

void ModelReader::add(std::string_view name, TensorProto tensor) {
  if (tensor.external) {
    fail(ErrorKind::model,
         "{}: tensor {} keeps its data in another file, expected it inside; save the model with its data",
         file_->name(), quote(name));
  }
  const std::optional<DataType> type = type_of(tensor.type);
  if (!type) return;
  if (*type == DataType::f32 && tensor.raw.empty()) {
    builder_.add(std::string(name), std::move(tensor.shape), tensor.listed);
  } else if (!tensor.raw.empty()) {
    builder_.view(std::string(name), *type, std::move(tensor.shape), tensor.raw);
  }
}

void ModelReader::attribute(ProtobufReader message, OnnxNode& node) {
  std::string_view name;
  std::vector<std::int64_t> integers;
  std::optional<float> number;
  std::optional<ProtobufField> value;
  ProtobufField field;
  while (message.next(field)) {
    if (field.is(1, WireType::bytes)) name = field.text();
    if (field.is(2, WireType::fixed32)) number = std::bit_cast<float>(static_cast<std::uint32_t>(field.value));
    if (field.is(5, WireType::bytes)) value = field;
    if (field.is(3, WireType::varint) || field.is(8, WireType::varint) || field.is(8, WireType::bytes)) {
      message.varints(field, [&](std::uint64_t integer) {
        count_part();
        integers.push_back(static_cast<std::int64_t>(integer));
      });
    }
  }
  count_part();
  if (number) node.numbers.insert_or_assign(name, *number);
  if (!integers.empty()) node.integers.insert_or_assign(name, std::move(integers));
  if (value && node.op == "Constant" && node.outputs.size() == 1) add(node.outputs[0], tensor(message.child(*value)));
}

// Attributes are read last: those of a Constant need its output's name, and fields may come in any order.
void ModelReader::node(ProtobufReader message) {
  OnnxNode node;
  std::vector<ProtobufField> attributes;
  ProtobufField field;
  while (message.next(field)) {
    if (field.wire != WireType::bytes) continue;
    count_part();
    if (field.number == 1) node.inputs.push_back(field.text());
    if (field.number == 2) node.outputs.push_back(field.text());
    if (field.number == 3) node.name = field.text();
    if (field.number == 4) node.op = field.text();
    if (field.number == 5) attributes.push_back(field);
  }
  for (const ProtobufField& each : attributes) attribute(message.child(each), node);
  if (node.op != "Constant") nodes_.push_back(std::move(node));
}

void ModelReader::graph(ProtobufReader message) {
  ProtobufField field;
  while (message.next(field)) {
    if (field.is(1, WireType::bytes)) node(message.child(field));
    if (field.is(5, WireType::bytes)) {
      TensorProto initialiser = tensor(message.child(field));
      add(initialiser.name, std::move(initialiser));
    }
  }
}

OnnxGraph ModelReader::read() {
  ProtobufReader model(file_->bytes(), file_->name());
  ProtobufField field;
  while (model.next(field)) {
    if (field.is(7, WireType::bytes)) graph(model.child(field));
  }
  if (nodes_.empty()) fail(ErrorKind::model, "{}: holds no graph; is it an ONNX model?", file_->name());
  return {std::move(builder_).build(), std::move(nodes_)};
}

}  // namespace

OnnxGraph read_onnx(const std::filesystem::path& file) {
  return ModelReader(std::make_shared<const MappedFile>(file)).read();
}

}  // namespace wajah
