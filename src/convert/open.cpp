#include <wajah/convert/frozen_graph.hpp>
#include <wajah/convert/inception.hpp>
#include <wajah/convert/mobilefacenet.hpp>
#include <wajah/convert/mtcnn.hpp>
#include <wajah/convert/onnx.hpp>
#include <wajah/convert/open.hpp>
#include <wajah/convert/protobuf.hpp>
#include <wajah/error.hpp>
#include <wajah/file.hpp>
#include <wajah/text.hpp>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <memory>
#include <string>
#include <system_error>

namespace wajah {
namespace {

enum class Format { safetensors, frozen_graph, onnx };

struct Foreign {
  std::string_view magic, sentence;
};

// Formats that a user may well have at hand and wajah does not open: each gets a sentence that helps.
constexpr std::array<Foreign, 7> foreign_formats = {{
    {std::string_view("\xFD"
                      "7zXZ\0",
                      6),
     "is compressed with xz; decompress it first: xz -dk FILE"},
    {std::string_view("\x1F\x8B", 2), "is compressed with gzip; decompress it first: gunzip -k FILE"},
    {std::string_view("\x28\xB5\x2F\xFD", 4), "is compressed with zstd; decompress it first: zstd -dk FILE"},
    {std::string_view("PK\3\4", 4), "is a zip archive, perhaps a PyTorch model; convert it to .safetensors or .onnx"},
    {std::string_view("\x93NUMPY", 6),
     "is a .npy file; MTCNN is given as the folder with det1.npy, det2.npy and det3.npy"},
    {std::string_view("\x89HDF\r\n\x1A\n", 8),
     "is an HDF5 file, perhaps a Keras model; convert it to .safetensors or .onnx"},
    {std::string_view("version https://git-lfs", 23), "is a Git LFS pointer, not the model itself: git lfs pull"},
}};

// What a safetensors header begins with, whether or not its length is right: a short file shall be told that it is
// short.
bool looks_like_safetensors(std::string_view text) {
  return text.size() > 8 && text[8] == '{' && text.substr(4, 4) == std::string_view("\0\0\0\0", 4);
}

[[noreturn]] void fail_unknown(const MappedFile& file) {
  fail(ErrorKind::model, "{}: is neither a safetensors file, a frozen TensorFlow graph nor an ONNX model", file.name());
}

// A ModelProto has its graph in field 7, which a GraphDef does not have; a GraphDef has its nodes in field 1, where a
// ModelProto has a number. Both begin with a number or a message of a low field, most other files do not.
Format protobuf_format(const MappedFile& file) {
  const auto first = std::to_integer<unsigned>(file.bytes()[0]);
  if (first < 8 || first >> 3U > 8 || (first & 7U) % 2 != 0 || (first & 7U) > 2) fail_unknown(file);
  ProtobufReader message(file.bytes(), file.name());
  ProtobufField field;
  while (message.next(field)) {
    if (field.is(1, WireType::bytes)) return Format::frozen_graph;
    if (field.is(7, WireType::bytes)) return Format::onnx;
  }
  fail_unknown(file);
}

Format format_of(const MappedFile& file) {
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  for (const Foreign& foreign : foreign_formats) {
    if (text.starts_with(foreign.magic)) fail(ErrorKind::model, "{}: {}", file.name(), foreign.sentence);
  }
  if (text.empty()) fail(ErrorKind::model, "{}: is empty, expected a model", file.name());
  return looks_like_safetensors(text) ? Format::safetensors : protobuf_format(file);
}

struct Architecture {
  std::string_view name, first_tensor;
};

constexpr std::array<Architecture, 3> architectures = {
    {{inception_resnet_v1_name, "InceptionResnetV1/Conv2d_1a_3x3/weights"},
     {mobilefacenet_name, "MobileFaceNet/conv1/weights"},
     {mtcnn_name, "pnet/conv1/weights"}}};

// The architecture that a set says it is, or else the one that its tensors are named for.
std::string architecture_of(const Weights& weights) {
  const auto stated = weights.metadata().find(std::string(architecture_key));
  if (stated != weights.metadata().end()) return stated->second;
  const auto* found =
      std::ranges::find_if(architectures, [&](const Architecture& a) { return weights.has(a.first_tensor); });
  if (found == architectures.end()) {
    fail(ErrorKind::model, "{}: holds the tensors of no network that wajah knows: none of {}, {} or {}",
         weights.source(), quote(architectures[0].first_tensor), quote(architectures[1].first_tensor),
         quote(architectures[2].first_tensor));
  }
  return std::string(found->name);
}

// The same tensors, with the architecture stated; safetensors files from elsewhere need not state one.
Weights with_architecture(const Weights& weights) {
  if (weights.metadata().contains(std::string(architecture_key))) return weights;
  Weights::Builder builder(weights.source());
  builder.keep(std::make_shared<const Weights>(weights));
  for (const auto& [name, tensor] : weights.tensors()) {
    builder.view(std::string(name), tensor.type, tensor.shape, tensor.bytes);
  }
  for (const auto& [key, value] : weights.metadata()) builder.metadata(key, value);
  builder.metadata(std::string(architecture_key), architecture_of(weights));
  return std::move(builder).build();
}

Weights open_safetensors(const std::filesystem::path& file, std::initializer_list<std::string_view> expected) {
  Weights weights = with_architecture(read_safetensors(file));
  const std::string architecture = architecture_of(weights);
  if (std::ranges::find(expected, architecture) == expected.end()) {
    fail(ErrorKind::model, "{}: is a model of architecture {}, expected {}", file.string(), quote(architecture),
         fmt::join(expected, " or "));
  }
  return weights;
}

}  // namespace

Weights open_embedder(const std::filesystem::path& file) {
  switch (format_of(MappedFile(file))) {
    case Format::safetensors: return open_safetensors(file, {inception_resnet_v1_name, mobilefacenet_name});
    case Format::frozen_graph: return convert_inception_resnet_v1(read_frozen_graph(file));
    default: return convert_mobilefacenet(read_onnx(file));
  }
}

Weights open_mtcnn(const std::filesystem::path& file_or_folder) {
  std::error_code ignored;  // what is wrong with the path shows when it is opened
  if (std::filesystem::is_directory(file_or_folder, ignored)) {
    return convert_mtcnn(file_or_folder / "det1.npy", file_or_folder / "det2.npy", file_or_folder / "det3.npy");
  }
  if (format_of(MappedFile(file_or_folder)) != Format::safetensors) {
    fail(ErrorKind::model,
         "{}: is no safetensors file, expected one or the folder with det1.npy, det2.npy and det3.npy",
         file_or_folder.string());
  }
  return open_safetensors(file_or_folder, {mtcnn_name});
}

}  // namespace wajah
