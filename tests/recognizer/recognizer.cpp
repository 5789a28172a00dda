// The whole library through its one header, as the README shows it.
#include "check.hpp"

#include <wajah/wajah.hpp>

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
