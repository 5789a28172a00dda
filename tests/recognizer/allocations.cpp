// What a photo like the one before still takes from the heap, from its bytes to a name. Networks take nothing; what is
// left are the answers that are handed out, and lists whose lengths depend on the picture.
#include "allocations.hpp"

#include "check.hpp"

#include <wajah/convert/open.hpp>
#include <wajah/image_io.hpp>
#include <wajah/recognizer.hpp>

#include <fstream>
#include <iterator>
#include <vector>

namespace {

using namespace wajah;

std::vector<std::byte> bytes_of_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::vector<char> read{std::istreambuf_iterator<char>(stream), {}};
  const auto* first = reinterpret_cast<const std::byte*>(read.data());
  return {first, first + read.size()};
}

std::size_t allocations_of(auto&& work) {
  const std::size_t before = test::allocations();
  work();
  return test::allocations() - before;
}

TEST_CASE("from the second photo on: decode, detect, embed, decide") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data");
    return;
  }
  // All work on this thread, whose allocations are counted, and in the one way whatever this CPU could do.
  const Cpu cpu(1, has_isa(Isa::avx2) ? Isa::avx2 : Isa::scalar);
  Recognizer recognizer(load_models(*data / "mtcnn", *data / "mobilefacenet.onnx", cpu), cpu);
  const std::vector<std::byte> bytes = bytes_of_file(*data / "photos/phone_720x1080.jpg");
  Image image;
  std::vector<Face> faces;
  std::vector<float> embedding;
  std::shared_ptr<const Classifier> classifier;
  for (int round = 0; round < 3; ++round) {
    const std::size_t decoded = allocations_of([&] { image = decode(bytes); });
    const std::size_t detected = allocations_of([&] { faces = recognizer.detect(image, recognise_options); });
    REQUIRE(faces.size() == 1);
    const std::size_t embedded = allocations_of([&] { embedding = recognizer.embed(image, faces); });
    if (!classifier) {
      const std::vector<float> other(embedding.rbegin(), embedding.rend());
      classifier = train_classifier(std::vector<Sample>{{1, embedding}, {2, other}}, {});
    }
    const std::size_t decided = allocations_of([&] { CHECK(classifier->predict(embedding).label == 1); });
    if (round == 0) continue;
    CHECK(decoded == 2);     // the picture, and a row for those of four inks
    CHECK(detected <= 200);  // lists of boxes, of which 500 are looked at; no network, no crop
    CHECK(embedded <= 5);    // the crop and the embedding
    CHECK(decided <= 2);     // a similarity for each person
  }
}

}  // namespace
