#include "pickle_machine.hpp"

#include <wajah/convert/npy.hpp>
#include <wajah/convert/pickle_npy.hpp>
#include <wajah/file.hpp>
#include <wajah/text.hpp>

#include <optional>

namespace wajah {
namespace {

// What numpy.ndarray.__reduce__ stores: (1, shape, dtype, is_fortran, data).
struct ArrayState {
  std::vector<std::int64_t> shape;
  std::string_view dtype;
  bool fortran_order = false;
  PickleRef data = 0;
};

// Reads the values that a pickle left behind as NumPy arrays; `where` names the tensor in messages.
class ArrayReader {
 public:
  ArrayReader(const PickleMachine& machine, const MappedFile& file)
      : machine_(machine), source_(file.name()), bytes_left_(file.bytes().size()) {}

  [[nodiscard]] ArrayState array(PickleRef ref, const std::string& where) const;
  [[nodiscard]] const std::vector<PickleRef>& dictionary(PickleRef ref, const std::string& where) const;
  [[nodiscard]] std::string key(PickleRef ref, const std::string& where) const;
  void add_tensor(PickleRef ref, const std::string& name, Weights::Builder& builder);

 private:
  [[noreturn]] void fail_for(const std::string& where, std::string_view expected) const {
    fail(ErrorKind::model, "{}: {}: expected {}; is it one of MTCNN's det?.npy?", source_, where, expected);
  }
  [[nodiscard]] std::vector<std::int64_t> shape(PickleRef ref, const std::string& where) const;
  [[nodiscard]] std::string_view dtype(PickleRef ref, const std::string& where) const;

  const PickleMachine& machine_;
  std::string_view source_;
  std::size_t bytes_left_;  // all arrays together cannot be larger than the file, unless they share one string
};

std::vector<std::int64_t> ArrayReader::shape(PickleRef ref, const std::string& where) const {
  if (machine_[ref].kind != PickleKind::tuple) fail_for(where, "a shape");
  std::vector<std::int64_t> shape;
  for (const PickleRef item : machine_[ref].items) {
    if (machine_[item].kind != PickleKind::integer) fail_for(where, "a shape of whole numbers");
    shape.push_back(machine_[item].integer);
  }
  return shape;
}

// A dtype's state is (3, byte order, ...). Object arrays have none ('|'), float32 must be little-endian.
std::string_view ArrayReader::dtype(PickleRef ref, const std::string& where) const {
  const PickleValue& value = machine_[ref];
  if (value.kind != PickleKind::dtype || value.items.size() != 8 || !machine_.is_integer(value.items[0], 3)) {
    fail_for(where, "a numpy dtype of version 3");
  }
  if (!machine_.is_text(value.items[1], value.text == "O8" ? "|" : "<")) fail_for(where, "little-endian numbers");
  return value.text;
}

ArrayState ArrayReader::array(PickleRef ref, const std::string& where) const {
  const PickleValue& value = machine_[ref];
  if (value.kind != PickleKind::array || value.items.size() != 5) fail_for(where, "a numpy array");
  const PickleValue& order = machine_[value.items[3]];
  if (!machine_.is_integer(value.items[0], 1) || order.kind != PickleKind::boolean) {
    fail_for(where, "a numpy array's state of version 1");
  }
  return {shape(value.items[1], where), dtype(value.items[2], where), order.integer != 0, value.items[4]};
}

const std::vector<PickleRef>& ArrayReader::dictionary(PickleRef ref, const std::string& where) const {
  if (machine_[ref].kind != PickleKind::dictionary) fail_for(where, "a dictionary");
  return machine_[ref].items;
}

std::string ArrayReader::key(PickleRef ref, const std::string& where) const {
  constexpr std::size_t longest = 64;
  if (machine_[ref].kind != PickleKind::text || machine_[ref].text.size() > longest) {
    fail_for(where, fmt::format("keys that are strings of at most {} bytes", longest));
  }
  return std::string(machine_[ref].text);
}

void ArrayReader::add_tensor(PickleRef ref, const std::string& name, Weights::Builder& builder) {
  const std::string where = "tensor " + quote(name);
  ArrayState state = array(ref, where);
  if (state.dtype != "f4") fail_for(where, fmt::format("numbers of dtype f4, not {}", quote(state.dtype)));
  if (machine_[state.data].kind != PickleKind::text) fail_for(where, "its numbers as a string of bytes");
  const std::span<const std::byte> bytes = std::as_bytes(std::span(machine_[state.data].text));
  const std::optional<std::size_t> count = element_count(state.shape);
  if (!count || bytes.size() / sizeof(float) != *count || bytes.size() % sizeof(float) != 0) {
    fail(ErrorKind::model, "{}: {} has {} bytes, which do not make the shape {} of float32", source_, where,
         bytes.size(), shape_text(state.shape));
  }
  if (bytes.size() > bytes_left_) fail_for(where, "tensors that together are no larger than the file");
  bytes_left_ -= bytes.size();
  std::vector<std::byte> values = state.fortran_order ? row_major(bytes, DataType::f32, state.shape)
                                                      : std::vector<std::byte>(bytes.begin(), bytes.end());
  builder.add(name, DataType::f32, std::move(state.shape), std::move(values));
}

// The array of objects is a scalar whose one object is the dictionary of layers.
PickleRef layers_of(const ArrayReader& arrays, const PickleMachine& machine, PickleRef root, std::string_view source) {
  const ArrayState outer = arrays.array(root, "the pickled array");
  const PickleValue& objects = machine[outer.data];
  if (outer.dtype != "O8" || !outer.shape.empty() || objects.kind != PickleKind::list || objects.items.size() != 1) {
    fail(ErrorKind::model,
         "{}: expected a scalar array that holds one dictionary of layers; is it one of MTCNN's det?.npy?", source);
  }
  return objects.items[0];
}

void check_header(const NpyHeader& header, std::string_view source) {
  if (header.descr != "|O" || !header.shape.empty()) {
    fail(ErrorKind::model,
         "{}: holds an array of type {} and shape {}, expected the scalar of type '|O' of MTCNN's det?.npy", source,
         quote(header.descr), shape_text(header.shape));
  }
}

}  // namespace

Weights read_pickled_npy(const std::filesystem::path& file) {
  const MappedFile mapped(file);
  ByteReader reader(mapped.bytes(), mapped.name());
  check_header(read_npy_header(reader), mapped.name());

  PickleMachine machine(reader);
  const PickleRef root = machine.run();
  ArrayReader arrays(machine, mapped);
  Weights::Builder builder(mapped.name());
  const std::vector<PickleRef>& layers =
      arrays.dictionary(layers_of(arrays, machine, root, mapped.name()), "the layers");
  for (std::size_t i = 0; i < layers.size(); i += 2) {
    const std::string layer = arrays.key(layers[i], "the layers");
    const std::vector<PickleRef>& fields = arrays.dictionary(layers[i + 1], "layer " + quote(layer));
    for (std::size_t k = 0; k < fields.size(); k += 2) {
      const std::string field = arrays.key(fields[k], "layer " + quote(layer));
      arrays.add_tensor(fields[k + 1], fmt::format("{}/{}", layer, field), builder);
    }
  }
  return std::move(builder).build();
}

}  // namespace wajah
