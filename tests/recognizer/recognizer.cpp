// The whole library through its one header, as the README shows it.
#include "check.hpp"

#include <wajah/convert/open.hpp>
#include <wajah/wajah.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>

namespace {

using namespace wajah;

double cosine(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

TEST_CASE("photos become faces and embeddings that tell people apart") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data");
    return;
  }
  const Cpu cpu(2);
  Recognizer recognizer(load_models(*data / "mtcnn", *data / "mobilefacenet.onnx", cpu), cpu);
  CHECK(recognizer.card().architecture == "mobilefacenet");

  const Image photo = read_image(*data / "photos/multiface.jpg");
  const std::vector<Face> faces = recognizer.detect(photo, {});
  REQUIRE(faces.size() == 6);
  const std::size_t d = 128;
  const std::vector<float> rows = recognizer.embed(photo, faces);
  REQUIRE(rows.size() == faces.size() * d);
  const auto row = [&](std::size_t i) { return std::span(rows).subspan(i * d, d); };
  for (std::size_t i = 0; i < faces.size(); ++i) {
    CHECK(cosine(row(i), row(i)) == doctest::Approx(1).epsilon(1e-5));
    // Six people: nobody resembles anybody as a person resembles themselves.
    for (std::size_t j = i + 1; j < faces.size(); ++j) CHECK(cosine(row(i), row(j)) < 0.5);
  }

  // The same photo again gives the same embeddings, one face at a time too.
  const std::vector<float> one = recognizer.embed(photo, std::span(faces).subspan(2, 1));
  CHECK(cosine(one, row(2)) > 0.99999);
}

Image mirror_image(const Image& image) {
  Image mirrored(image.width, image.height);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      std::copy_n(image.row(y) + 3 * x, 3, mirrored.row(y) + 3 * (image.width - 1 - x));
    }
  }
  return mirrored;
}

TEST_CASE("both views of a face: the sum of crop and mirror image, whichever of them is given") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data");
    return;
  }
  const Cpu cpu(2);
  Embedder embedder(load_embedder(open_embedder(*data / "mobilefacenet.onnx"), cpu), cpu);
  Detector detector(load_detector(open_mtcnn(*data / "mtcnn"), cpu), cpu);
  const Image photo = read_image(*data / "photos/group_1280x720.jpg");
  // More than fit into one forward call of both views.
  std::vector<Image> crops, mirrored;
  for (const Face& face : detector.detect(photo, {})) {
    crops.push_back(make_crop(photo, face, embedder.card().crop, CropUse::recognise));
    mirrored.push_back(mirror_image(crops.back()));
  }
  REQUIRE(crops.size() > 20);
  const std::size_t d = 128;
  const std::vector<float> one = embedder.embed(crops), other = embedder.embed(mirrored);
  const std::vector<float> both = embedder.embed(crops, Views::both), again = embedder.embed(mirrored, Views::both);
  REQUIRE(both.size() == crops.size() * d);
  double turned = 0;
  for (std::size_t i = 0; i < crops.size(); ++i) {
    const auto row = [&](const std::vector<float>& rows) { return std::span(rows).subspan(i * d, d); };
    std::vector<float> sum(d);
    for (std::size_t k = 0; k < d; ++k) sum[k] = row(one)[k] + row(other)[k];
    const double length = std::sqrt(cosine(sum, sum));
    CHECK(cosine(row(both), row(both)) == doctest::Approx(1).epsilon(1e-5));
    CHECK(cosine(row(both), sum) / length > 0.99999);
    CHECK(cosine(row(both), row(again)) > 0.99999);
    turned = std::max(turned, 1 - cosine(row(one), row(other)));
  }
  CHECK(turned > 0.01);  // the two views do differ
}

TEST_CASE("where faces are mirrored is the card's to say, and part of no fingerprint") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data");
    return;
  }
  const Cpu cpu;
  const Weights weights = open_embedder(*data / "mobilefacenet.onnx");
  CHECK(card_of(weights).mirror == Mirror::always);
  const auto with = [&](const char* word) { return weights.with_metadata({{"mirror", word}}); };
  CHECK(card_of(with("never")).mirror == Mirror::never);
  CHECK(card_of(with("enrol")).id == card_of(weights).id);
  CHECK_THROWS_WITH_AS((void)card_of(with("sometimes")), doctest::Contains("expected never, enrol or always"), Error);

  const Image photo = read_image(*data / "photos/multiface.jpg");
  const std::shared_ptr<const DetectorModel> detector = load_detector(open_mtcnn(*data / "mtcnn"), cpu);
  std::map<Mirror, std::array<std::vector<float>, 2>> rows;
  for (const Mirror mirror : {Mirror::never, Mirror::enrol, Mirror::always}) {
    const Models models{detector, load_embedder(with(std::string(name_of(mirror)).c_str()), cpu)};
    Recognizer recognizer(std::make_shared<const Models>(models), cpu);
    const std::vector<Face> faces = recognizer.detect(photo, {});
    rows[mirror] = {recognizer.embed(photo, faces, recognizer.card().crop, CropUse::enrol),
                    recognizer.embed(photo, faces, recognizer.card().crop, CropUse::recognise)};
  }
  CHECK(rows[Mirror::never][0] == rows[Mirror::never][1]);
  CHECK(rows[Mirror::enrol][0] == rows[Mirror::always][0]);
  CHECK(rows[Mirror::enrol][1] == rows[Mirror::never][1]);
  CHECK(rows[Mirror::always][1] == rows[Mirror::always][0]);
  CHECK_FALSE(rows[Mirror::enrol][0] == rows[Mirror::enrol][1]);
}

TEST_CASE("weights of another network are refused by name") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data");
    return;
  }
  const Cpu cpu;
  CHECK_THROWS_AS((void)load_models(*data / "mobilefacenet.onnx", *data / "mobilefacenet.onnx", cpu), Error);
  CHECK_THROWS_AS((void)load_models(*data / "mtcnn", *data / "mtcnn/det1.npy", cpu), Error);
}

}  // namespace
