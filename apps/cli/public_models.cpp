#include "cli/public_models.hpp"

#include "cli/file_hash.hpp"
#include "cli/suggest.hpp"

#include <wajah/error.hpp>
#include <wajah/file.hpp>
#include <wajah/text.hpp>

#include <algorithm>
#include <array>
#include <vector>

namespace wajah::cli {
namespace {

constexpr std::string_view facenet = "davidsandberg/facenet",
                           facenet_commit = "096ed770f163957c1e56efa7feeb194773920f6e";

constexpr std::array mtcnn_files{PublicFile{facenet, facenet_commit, "src/align/det1.npy",
                                            "3285cf7a3de2651c5784cb9e32013f5919aae95fd1ed1bc371dd9691affb39af", ""},
                                 PublicFile{facenet, facenet_commit, "src/align/det2.npy",
                                            "716b8b83e42476791c9096f14dbb09fefc88bf5c7ec876b1683f9acd52b3f39c", ""},
                                 PublicFile{facenet, facenet_commit, "src/align/det3.npy",
                                            "396ead803d85d3443307ff8f45fb6aed2536579b415a4f4d4cb8f93ea6b1476a", ""}};

constexpr std::array facenet_files{PublicFile{"YeQiu29/Face-Recognition-MTCNN-FastAPI",
                                              "aaf57b2c7b89bbac297cbd665d6a925c8b6625f9", "model/20180402-114759.pb",
                                              "", "39b4ed76301ad6eafd53e46f28b69870249fdccc"}};

constexpr std::array mobilefacenet_files{
    PublicFile{"foamliu/MobileFaceNet", "a6cc9032a659b615f477833e1a70b5e7931bcccc", "weights/MobileFaceNet.onnx",
               "b7120c095d60094f28a4a54ba6a8bf51b297a6273fb40ef6350dfec1f63d9507", ""}};

constexpr std::array models{
    PublicModel{"mtcnn", ModelRole::detector, "the detector: P-, R- and O-Net", "MIT, davidsandberg/facenet",
                "mtcnn.safetensors", mtcnn_files},
    PublicModel{"facenet-vggface2", ModelRole::embedder, "Inception-ResNet-v1, 512 numbers, trained on VGGFace2",
                "MIT, davidsandberg/facenet", "facenet-vggface2.safetensors", facenet_files},
    PublicModel{"mobilefacenet", ModelRole::embedder, "MobileFaceNet, 128 numbers, small and quick",
                "Apache-2.0, foamliu/MobileFaceNet", "mobilefacenet.safetensors", mobilefacenet_files},
};

}  // namespace

std::string PublicFile::location() const { return fmt::format("/{}/{}/{}", repository, commit, path); }

std::span<const PublicModel> public_models() { return models; }

std::string_view name_of(ModelRole role) { return role == ModelRole::detector ? "detector" : "embedder"; }

const PublicModel* public_model_or_null(std::string_view name) {
  const auto found = std::ranges::find(models, name, &PublicModel::name);
  return found == models.end() ? nullptr : &*found;
}

const PublicModel& find_public_model(std::string_view name) {
  if (const PublicModel* found = public_model_or_null(name)) return *found;
  std::vector<std::string_view> names;
  for (const PublicModel& model : models) names.push_back(model.name);
  fail(ErrorKind::usage, "unknown model {}, expected {}{}", quote(name), fmt::join(names, ", "),
       suggestion(name, names));
}

std::string fault_of(const PublicFile& known, const std::filesystem::path& file) {
  const MappedFile mapped(file, ErrorKind::input);
  const bool blob = known.sha256.empty();
  const std::string got = blob ? git_blob_of(mapped.bytes()) : sha256_of(mapped.bytes());
  const std::string_view expected = blob ? known.git_blob : known.sha256;
  if (got == expected) return {};
  return fmt::format("{} is {}, expected {}", blob ? "its Git blob id" : "its SHA-256", got, expected);
}

}  // namespace wajah::cli
