// Model files are recognised by what is in them, and a wrong one is told what it is.
#include <doctest/doctest.h>
#include <wajah/convert/open.hpp>

#include <algorithm>
#include <array>

#include "check.hpp"
#include "convert/mobilefacenet_model.hpp"

namespace wajah {
namespace {

using namespace std::string_literals;

void check_same_bits(const Weights& got, const Weights& expected) {
  REQUIRE(got.names() == expected.names());
  CHECK(got.metadata() == expected.metadata());
  CHECK(fingerprint(got) == fingerprint(expected));
  for (const auto& [name, tensor] : expected.tensors()) {
    CHECK_MESSAGE(std::ranges::equal(got.raw(name).bytes, tensor.bytes), name);
  }
}

std::string inception_graph() {
  const std::vector<float> one = {1};
  std::string graph = frozen::floats("InceptionResnetV1/Conv2d_1a_3x3/weights", {1, 1, 1, 1}, one) +
                      frozen::floats("InceptionResnetV1/Conv2d_1a_3x3/biases", {1}, one) +
                      frozen::floats("InceptionResnetV1/Bottleneck/weights", {1, 1}, one) +
                      frozen::floats("InceptionResnetV1/Bottleneck/biases", {1}, one);
  for (int i = 0; i < 131; ++i) {
    graph += frozen::floats(fmt::format("InceptionResnetV1/Conv_{}/weights", i), {1, 1, 1, 1}, one) +
             frozen::floats(fmt::format("InceptionResnetV1/Conv_{}/biases", i), {1}, one);
  }
  return graph;
}

TEST_CASE("the extension says nothing") {
  const TemporaryFolder folder;
  const Weights frozen = open_embedder(folder.write("model.onnx", inception_graph()));
  CHECK(frozen.metadata().at("architecture") == "inception-resnet-v1");
  const Weights onnx = open_embedder(folder.write("model.pb", mobilefacenet_model()));
  CHECK(onnx.metadata().at("architecture") == "mobilefacenet");
  write_safetensors(onnx, folder / "model.npy");
  check_same_bits(open_embedder(folder / "model.npy"), onnx);
}

TEST_CASE("an architecture that a safetensors file does not state is told by its tensors") {
  const TemporaryFolder folder;
  Weights::Builder builder("memory");
  builder.add("pnet/conv1/weights", {1}, counting(1)).metadata("licence", "MIT");
  write_safetensors(std::move(builder).build(), folder / "m.safetensors");
  const Weights weights = open_mtcnn(folder / "m.safetensors");
  CHECK(weights.metadata().at("architecture") == "mtcnn");
  CHECK(weights.metadata().at("licence") == "MIT");
  CHECK(weights.source() == (folder / "m.safetensors").string());
  CHECK(weights.get("pnet/conv1/weights", {1})[0] == 0);
}

TEST_CASE("what is no model of that kind is refused with a sentence that helps") {
  const TemporaryFolder folder;
  const auto safetensors = [&](const char* tensor, const char* architecture) {
    Weights::Builder builder("memory");
    builder.add(tensor, {1}, counting(1));
    if (*architecture != '\0') builder.metadata("architecture", architecture);
    write_safetensors(std::move(builder).build(), folder / "written");
    return read_all(folder / "written");
  };
  struct Case {
    const char* name;
    std::string file;
    const char* message;
  };
  const std::vector<Case> embedders = {
      {"empty", "", "is empty, expected a model"},
      {"text", "hello, world", "is neither a safetensors file, a frozen TensorFlow graph nor an ONNX model"},
      {"JPEG", "\xFF\xD8\xFF\xE0", "is neither a safetensors file"},
      {"xz",
       "\xFD"
       "7zXZ\0\0\4"s,
       "is compressed with xz; decompress it first: xz -dk FILE"},
      {"gzip", "\x1F\x8B\x08", "is compressed with gzip"},
      {"zstd", "\x28\xB5\x2F\xFD", "is compressed with zstd"},
      {"zip", "PK\3\4", "is a zip archive, perhaps a PyTorch model"},
      {"HDF5", "\x89HDF\r\n\x1A\n", "is an HDF5 file"},
      {"pointer", "version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer, not the model itself"},
      {"npy", npy_header("{}"), "is a .npy file; MTCNN is given as the folder with det1.npy, det2.npy and det3.npy"},
      {"MTCNN", safetensors("pnet/conv1/weights", ""),
       "is a model of architecture 'mtcnn', expected inception-resnet-v1 or mobilefacenet"},
      {"stated", safetensors("x", "resnet50"),
       "is a model of architecture 'resnet50', expected inception-resnet-v1 or mobilefacenet"},
      {"unknown", safetensors("x", ""),
       "holds the tensors of no network that wajah knows: none of 'InceptionResnetV1/Conv2d_1a_3x3/weights'"},
      {"safetensors cut", safetensors("x", "mtcnn").substr(0, 20), "claims a safetensors header of"},
      {"another graph", frozen::floats("MobilenetV1/weights", {1}, counting(1)),
       "expected a frozen Inception-ResNet-v1"},
      {"another ONNX model", onnx::model(onnx::node("Conv", {"x"}, "y")),
       "has 1 convolutions, expected MobileFaceNet's 51"},
      {"ONNX cut", mobilefacenet_model().substr(0, 1000), "is the file complete?"},
      {"no message", protobuf::number(1, 8), "is neither a safetensors file"},
  };
  for (const Case& each : embedders) {
    const auto file = folder.write("bad", each.file);
    check_refused(each.name, each.message, [&] { static_cast<void>(open_embedder(file)); });
  }
  const std::vector<Case> detectors = {
      {"embedder", safetensors("MobileFaceNet/conv1/weights", ""),
       "is a model of architecture 'mobilefacenet', expected mtcnn"},
      {"graph", inception_graph(),
       "is no safetensors file, expected one or the folder with det1.npy, det2.npy and det3.npy"},
      {"text", "hello, world", "is neither a safetensors file"},
  };
  for (const Case& each : detectors) {
    const auto file = folder.write("bad", each.file);
    check_refused(each.name, each.message, [&] { static_cast<void>(open_mtcnn(file)); });
  }
  check_refused("folder", "is a folder, expected a file", [&] { static_cast<void>(open_embedder(folder.path())); });
  check_refused("no det1", "det1.npy: cannot be opened: No such file",
                [&] { static_cast<void>(open_mtcnn(folder.path())); });
  check_refused("missing", "cannot be opened: No such file",
                [&] { static_cast<void>(open_mtcnn(folder / "missing")); });
}

TEST_CASE("the genuine models convert to safetensors without changing a bit") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data");
    return;
  }
  const TemporaryFolder folder;
  const Weights mtcnn = open_mtcnn(*data / "mtcnn");
  CHECK(mtcnn.names().size() == 50);
  write_safetensors(mtcnn, folder / "mtcnn");
  check_same_bits(open_mtcnn(folder / "mtcnn"), mtcnn);

  const Weights mobilefacenet = open_embedder(*data / "mobilefacenet.onnx");
  CHECK(mobilefacenet.names().size() == 102);
  write_safetensors(mobilefacenet, folder / "mobilefacenet");
  check_same_bits(open_embedder(folder / "mobilefacenet"), mobilefacenet);

  const auto compressed = *data / "irv1_distilled.pb.xz";
  check_refused("xz", "xz -dk", [&] { static_cast<void>(open_embedder(compressed)); });
}

}  // namespace
}  // namespace wajah
