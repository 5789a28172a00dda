// The Analyser on the real networks: what an enrolment and a recognition take from a picture, and the service on top.
#include "attendance/analyser.hpp"

#include "check.hpp"
#include "fakes.hpp"

#include <wajah/detect/box.hpp>
#include <wajah/image_io.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

using namespace wajah;
using namespace wajah::attendance;
using namespace wajah::attendance::testing;

namespace {

std::vector<std::byte> bytes_of(const std::filesystem::path& file) {
  const auto text = contents(file);
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// The same photo taken in weaker light.
std::vector<std::byte> darker(const std::vector<std::byte>& photo) {
  Image image = decode(photo);
  for (auto& value : image.pixels) value = static_cast<std::uint8_t>(value * 4 / 5);
  return encode_jpeg(image, 80);
}

// A photo as a phone writes it, with an EXIF block (its orientation is the upright one) that names a place.
std::vector<std::byte> with_exif(const std::vector<std::byte>& jpeg) {
  const std::string block =
      std::string("\xFF\xE1\x00\x22", 4) + std::string("Exif\0\0MM\0\x2A\0\0\0\x08\0\0\0\0\0\0", 20) + "PLANTED GPS ";
  std::vector<std::byte> photo(jpeg.begin(), jpeg.begin() + 2);
  for (const char c : block) photo.push_back(static_cast<std::byte>(c));
  photo.insert(photo.end(), jpeg.begin() + 2, jpeg.end());
  return photo;
}

bool holds(const std::vector<std::byte>& bytes, std::string_view text) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()).find(text) !=
         std::string_view::npos;
}

double norm_of(const std::vector<float>& values) {
  return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
}

}  // namespace

TEST_CASE("the analyser and the service on real networks") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data (WAJAH_SHARED)");
    return;
  }
  const Cpu cpu(1);
  const auto models = load_models(*data / "mtcnn", *data / "mobilefacenet.onnx", cpu);
  AnalyserOptions options;
  options.keep_pictures = true;
  auto analysers = make_analysers(models, cpu, 2, options);
  Analyser& analyser = *analysers.front();
  const auto portrait = bytes_of(*data / "photos" / "phone_720x1080.jpg");
  const auto group = bytes_of(*data / "photos" / "group_1280x720.jpg");

  SUBCASE("an enrolment is about one face, and its picture is kept upright without metadata") {
    const auto photo = with_exif(portrait);
    REQUIRE(holds(photo, "PLANTED GPS"));
    const auto analysis = analyser.analyse(photo, Purpose::enrol);
    REQUIRE(analysis.faces.size() == 1);
    CHECK(norm_of(analysis.faces[0].embedding) == doctest::Approx(1).epsilon(1e-4));
    const Image kept = decode(analysis.picture);
    CHECK(kept.width == analysis.width);
    CHECK(kept.height == analysis.height);
    CHECK_FALSE(holds(analysis.picture, "PLANTED GPS"));
    CHECK_FALSE(holds(analysis.picture, "Exif"));

    const auto of_group = analyser.analyse(group, Purpose::enrol);
    REQUIRE(of_group.faces.size() == 1);
    Recognizer recognizer(models, cpu);
    const Image image = decode(group);
    const auto faces = recognizer.detect(image, enrol_options);
    const auto central = central_face(faces, image.width, image.height);
    REQUIRE(central);
    CHECK(of_group.faces[0].face.box == faces[*central].box);
  }
  SUBCASE("a recognition takes the best faces, as many as are allowed") {
    const auto analysis = analyser.analyse(group, Purpose::recognise);
    CHECK(analysis.faces.size() == 32);
    CHECK(std::ranges::is_sorted(analysis.faces, std::ranges::greater(),
                                 [](const FaceEmbedding& face) { return face.face.score; }));
    CHECK(analysis.picture.empty());
  }
  SUBCASE("an orientation tag turns the picture, unless it is to be ignored") {
    auto lying = with_exif(portrait);
    const auto tag = std::ranges::search(lying, std::as_bytes(std::span(std::string_view("MM\0\x2A\0\0\0\x08", 8))));
    REQUIRE_FALSE(tag.empty());
    // One entry in place of the empty directory: orientation 6, a quarter clockwise.
    constexpr std::string_view directory("\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0", 14);
    std::ranges::copy(std::as_bytes(std::span(directory)), tag.end());
    const auto applied = analyser.analyse(lying, Purpose::recognise);
    AnalyserOptions as_stored;
    as_stored.orientation = Orientation::ignored;
    const auto ignored = make_analysers(models, cpu, 1, as_stored).front()->analyse(lying, Purpose::recognise);
    CHECK(applied.orientation == 6);
    CHECK(ignored.orientation == 1);
    CHECK(applied.width == ignored.height);
    CHECK(applied.height == ignored.width);
  }
  SUBCASE("pictures that share a pass get what each gets by itself") {
    const std::vector pictures{portrait, group, bytes_of(*data / "photos" / "portrait_1638x2048.jpg")};
    std::vector<Sighting> together;
    for (const auto& one : pictures) together.push_back(analyser.find(one, Purpose::recognise));
    analyser.embed(together);
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      const auto alone = analyser.analyse(pictures[i], Purpose::recognise);
      REQUIRE(alone.faces.size() == together[i].analysis.faces.size());
      for (std::size_t k = 0; k < alone.faces.size(); ++k) {
        const auto& a = alone.faces[k].embedding;
        const auto& b = together[i].analysis.faces[k].embedding;
        CHECK(std::inner_product(a.begin(), a.end(), b.begin(), 0.0) > 0.99999);
      }
    }
  }
  SUBCASE("the crop belongs to the model's identity") {
    AnalyserOptions other;
    other.crop = margin_crop(models->card().input, 0.3);
    CHECK(make_analysers(models, cpu, 1, other).front()->model() != analyser.model());
    CHECK(make_analysers(models, cpu, 1, {}).front()->model() == analyser.model());
    CHECK(analyser.model().starts_with("mobilefacenet"));
  }
  SUBCASE("faces are embedded by the views the card asks for, as by the library") {
    Recognizer recognizer(models, cpu);
    const Image image = decode(group);
    const auto faces = recognizer.detect_any_rotation(image, recognise_options).faces;
    const auto rows = recognizer.embed(image, faces);  // of both views
    const auto analysis = analyser.analyse(group, Purpose::recognise);
    REQUIRE(faces.size() >= analysis.faces.size());
    const std::size_t dimension = rows.size() / faces.size();
    for (std::size_t i = 0; i < analysis.faces.size(); ++i) {
      const auto& embedding = analysis.faces[i].embedding;
      REQUIRE(embedding.size() == dimension);
      CHECK(std::inner_product(embedding.begin(), embedding.end(), rows.begin() + std::ptrdiff_t(i * dimension), 0.0) >
            0.99999);
    }
  }
  SUBCASE("the views that faces are enrolled by belong to the model's identity, those to recognise do not") {
    ModelCard card = models->card();
    const auto id = [&](Mirror mirror) {
      card.mirror = mirror;
      return model_id(card, card.crop);
    };
    CHECK(id(Mirror::always) == analyser.model());
    CHECK(id(Mirror::enrol) == id(Mirror::always));
    CHECK(id(Mirror::never) != id(Mirror::enrol));
  }
  SUBCASE("what is no picture is the sender's fault") {
    for (const auto& bytes : {std::vector<std::byte>(), std::vector<std::byte>(100),
                              std::vector(portrait.begin(), portrait.begin() + 5000)}) {
      try {
        (void)analyser.analyse(bytes, Purpose::recognise);
        FAIL("accepted");
      } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::input);
      }
    }
  }
  SUBCASE("enrolled people are recognised, others are not, and nothing remains of the removed") {
    const TempFolder folder;
    const DataFolder data_folder(folder.path());
    Database database(data_folder);
    SqliteStore store(database);
    Engine engine(std::move(analysers), {});
    ServiceOptions rules;
    rules.log_folder = data_folder.log_folder();
    rules.classifier.curve = models->card().curve;
    Service service(store, engine, rules);
    const auto other = bytes_of(*data / "photos" / "portrait_1638x2048.jpg");
    const std::vector<File> of_first = {{"1.jpg", portrait}}, of_second = {{"2.jpg", other}};
    service.upload("1", "PERTAMA", of_first);
    CHECK(service.recognise("1", darker(portrait)).nik_matched);
    CHECK_FALSE(service.recognise("1", other).nik_matched);
    service.upload("2", "KEDUA", of_second);
    CHECK(service.recognise("2", darker(other)).message == "KEDUA TERDETEKSI");
    CHECK(service.recognise("1", darker(portrait)).message == "PERTAMA TERDETEKSI");
    const auto many = service.recognise("1", group);
    CHECK(many.face_num == 32);
    CHECK_FALSE(many.nik_matched);
    service.remove("1", "PERTAMA");
    CHECK_FALSE(service.recognise("1", portrait).nik_matched);
    CHECK(service.recognise("2", darker(other)).nik_matched);
  }
}
