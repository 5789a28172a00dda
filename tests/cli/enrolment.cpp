// Enrolling with checks, photos that lie on their side, and changing the model of a data folder, as users do it.
#include "check.hpp"
#include "cli/inputs.hpp"
#include "cli/program.hpp"

#include <wajah/detect/rotations.hpp>
#include <wajah/image_io.hpp>

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>

using namespace wajah::test;
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::vector<json::object> objects_of(const std::string& lines) {
  std::vector<json::object> objects;
  std::istringstream stream(lines);
  for (std::string line; std::getline(stream, line);) objects.push_back(json::parse(line).as_object());
  return objects;
}

// The published detector and the two embedders that are in the shared data.
std::map<std::string, std::string> detector_in(const fs::path& data) {
  return {{"WAJAH_MTCNN", (data / "mtcnn").string()}};
}
std::map<std::string, std::string> models_in(const fs::path& data) {
  auto models = detector_in(data);
  models["WAJAH_WEIGHTS"] = (data / "mobilefacenet.onnx").string();
  return models;
}

void write_changed(const Workplace& place, const fs::path& photo, const std::string& name, int multiply, int divide) {
  wajah::Image image = wajah::read_image(photo);
  for (auto& value : image.pixels) value = static_cast<std::uint8_t>(value * multiply / divide);
  wajah::write_image(image, place / name);
}

}  // namespace

TEST_CASE("enrol: what is wrong with a photo, before and while enrolling") {
  const auto data = wajah::shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data");
    return;
  }
  const Workplace place;
  const auto models = models_in(*data);
  const std::string good = (*data / "photos" / "phone_720x1080.jpg").string(),
                    group = (*data / "photos" / "group_1280x720.jpg").string();
  write_changed(place, good, "dark.jpg", 1, 5);
  fs::create_directories(place / "photos");
  fs::copy(good, place / "photos" / "good.jpg");
  fs::rename(place / "dark.jpg", place / "photos" / "dark.jpg");

  const Outcome checked = place.run({"enrol", "--check", "--json", "photos", group}, models);
  CHECK(checked.status == 1);
  const auto rows = objects_of(checked.out);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].at("image").as_string() == "photos/dark.jpg");
  CHECK(rows[0].at("fault").as_string() == "dark");
  CHECK(rows[0].at("measures").at("p95").to_number<double>() < 70);
  CHECK(rows[1].at("usable").as_bool());
  CHECK(rows[1].at("fault").is_null());
  CHECK(rows[1].at("score").to_number<double>() > rows[0].at("score").to_number<double>());
  CHECK(rows[2].at("fault").as_string() == "several_faces");
  CHECK(!fs::exists(place / "data"));
  CHECK(place.run({"enrol", "--check", "photos/good.jpg"}, models).status == 0);
  CHECK(place.run({"enrol", "--check", "--strictness", "off", "photos"}, models).status == 0);
  CHECK(contains(place.run({"enrol", "--check", "photos"}, models).out, "2 photos, 1 refused (50.00 %): dark 1"));

  INFO("a file that is no picture has a verdict like all others, and keeps none back");
  place.write("text.jpg", "This is a text, whatever its name says.\n");
  const Outcome text = place.run({"enrol", "--check", "--json", "text.jpg", "absent.jpg", "photos/good.jpg"}, models);
  CHECK(text.status == 3);
  const auto verdicts = objects_of(text.out);
  REQUIRE(verdicts.size() == 3);
  for (const std::size_t i : {0U, 1U}) {
    CHECK(verdicts[i].at("fault").as_string() == "undecodable");
    CHECK_FALSE(verdicts[i].at("usable").as_bool());
    CHECK_FALSE(contains(std::string(verdicts[i].at("reason").as_string()), ".jpg"));
  }
  CHECK(verdicts[0].at("image").as_string() == "text.jpg");
  CHECK(verdicts[2].at("usable").as_bool());
  const Outcome words = place.run({"enrol", "--check", "photos/good.jpg", "text.jpg"}, models);
  CHECK(words.status == 3);
  CHECK(contains(words.out, "text.jpg: undecodable"));
  CHECK(contains(words.out, "2 photos, 1 refused (50.00 %): undecodable 1"));

  const Outcome enrolled =
      place.run({"enrol", "--nik", "1", "--nama", "ANI", "--json", "photos/good.jpg", "photos/dark.jpg"}, models);
  CAPTURE(enrolled.err);
  REQUIRE(enrolled.status == 0);
  const auto result = objects_of(enrolled.out).at(0);
  CHECK(result.at("stored").as_int64() == 1);
  CHECK(result.at("skipped").at(0).at("fault").as_string() == "dark");

  INFO("the same face under another NIK");
  write_changed(place, good, "again.jpg", 4, 5);
  const Outcome refused = place.run({"enrol", "--nik", "2", "--nama", "ANA", "again.jpg"}, models);
  CHECK(refused.status == 3);
  CHECK(contains(refused.err, "enrolled under another NIK"));
  CHECK(contains(refused.err, "it is ANI (1). --force"));
  CHECK(place.run({"enrol", "--nik", "2", "--nama", "ANA", "--force", "again.jpg"}, models).status == 0);
  CHECK(std::ranges::count(place.run({"people", "list"}, models).out, '\n') == 2);

  INFO("recognising names what cannot be read, and has a line for it");
  const Outcome seen = place.run({"recognise", "--json", "text.jpg", "photos/good.jpg"}, models);
  CHECK(seen.status == 3);
  CHECK(contains(seen.err, "wajah recognise: text.jpg: this looks like text"));
  const auto lines = objects_of(seen.out);
  REQUIRE(lines.size() == 2);
  CHECK(contains(std::string(lines[0].at("error").as_string()), "this looks like text"));
  CHECK(lines[0].at("image").as_string() == "text.jpg");
  CHECK(lines[1].at("error").is_null());
  CHECK(lines[1].at("face_num").as_int64() == 1);

  INFO("and a folder of people has a line for everybody, enrolled or not");
  for (const char* folder : {"staff/1/ANI", "staff/8/CITRA"}) fs::create_directories(place / folder);
  fs::copy(place / "photos/good.jpg", place / "staff/1/ANI/1.jpg");
  fs::copy(place / "text.jpg", place / "staff/8/CITRA/1.jpg");
  const Outcome staff = place.run({"enrol", "--dir", "staff", "--json"}, models);
  CHECK(staff.status == 3);
  const auto everybody = objects_of(staff.out);
  REQUIRE(everybody.size() == 2);
  CHECK(everybody[0].at("error").is_null());
  CHECK(everybody[1].at("nik").as_string() == "8");
  CHECK(everybody[1].at("stored").as_int64() == 0);
  CHECK(contains(std::string(everybody[1].at("error").as_string()), "staff/8/CITRA/1.jpg: this looks like text"));
}

TEST_CASE("enrol goes by the settings of the data folder, and of the environment before them") {
  const auto data = wajah::shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data");
    return;
  }
  const Workplace place;
  auto models = models_in(*data);
  write_changed(place, *data / "photos" / "phone_720x1080.jpg", "dark.jpg", 1, 5);
  const std::vector<std::string> check{"enrol", "--check", "dark.jpg"};
  CHECK(place.run(check, models).status == 1);
  place.write("data/wajah.toml", "[pipeline]\nstrictness = \"off\"\n");
  CHECK(place.run(check, models).status == 0);
  CHECK(place.run({"enrol", "--nik", "1", "--nama", "ANI", "dark.jpg"}, models).status == 0);
  CHECK(place.run({"enrol", "--nik", "2", "--nama", "ANA", "--strictness", "strict", "dark.jpg"}, models).status == 3);
  models["WAJAH_STRICTNESS"] = "standard";
  CHECK(place.run(check, models).status == 1);
  CHECK(place.run({"enrol", "--check", "--strictness", "off", "dark.jpg"}, models).status == 0);
  models["WAJAH_STRICTNESS"] = "very";
  const Outcome wrong = place.run(check, models);
  CHECK(wrong.status == 2);
  CHECK(contains(wrong.err, "WAJAH_STRICTNESS"));
}

TEST_CASE("a photo that lies on its side is enrolled, recognised and told in its own pixels") {
  const auto data = wajah::shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data");
    return;
  }
  const Workplace place;
  const auto models = models_in(*data);
  const wajah::Image upright = wajah::read_image(*data / "photos" / "phone_720x1080.jpg");
  wajah::write_image(upright, place / "upright.png");
  wajah::write_image(wajah::turned(upright, 1), place / "side.png");
  wajah::write_image(wajah::turned(upright, 2), place / "head.png");

  REQUIRE(place.run({"enrol", "--nik", "1", "--nama", "ANI", "side.png"}, models).status == 0);
  for (const char* photo : {"upright.png", "side.png", "head.png"}) {
    const Outcome outcome = place.run({"recognise", "--nik", "1", "--json", photo}, models);
    CAPTURE(outcome.err);
    CHECK(outcome.status == 0);
  }
  INFO("and verified and embedded");
  for (const char* photo : {"side.png", "head.png"}) {
    CAPTURE(photo);
    const Outcome outcome = place.run({"verify", "--json", "upright.png", photo}, models);
    CAPTURE(outcome.err);
    CHECK(outcome.status == 0);
    CHECK(json::parse(outcome.out).at("similarity").to_number<double>() > 0.9);
  }
  const auto box = [&](const char* photo) {
    const auto faces = objects_of(place.run({"embed", "--json", photo}, models).out).at(0).at("faces");
    REQUIRE(faces.as_array().size() == 1);
    return faces.at(0).at("box");
  };
  const json::value whole = box("upright.png"), turned = box("side.png");
  CHECK(std::abs(turned.at(0).to_number<double>() - (upright.height - 1 - whole.at(3).to_number<double>())) < 25);
  CHECK(std::abs(turned.at(1).to_number<double>() - whole.at(0).to_number<double>()) < 25);

  const auto face = [&](const char* photo, bool rotations) {
    std::vector<std::string> words{"detect", "--json", "--min-size", "40", photo};
    if (rotations) words.insert(words.begin() + 1, "--rotations");
    const auto found = objects_of(place.run(words, models).out).at(0);
    const auto& faces = found.at("faces").as_array();
    return faces.empty() ? json::array{} : faces[0].at("box").as_array();
  };
  const auto straight = face("upright.png", true), side = face("side.png", true), head = face("head.png", true);
  CHECK(straight == face("upright.png", false));
  REQUIRE(side.size() == 4);
  REQUIRE(head.size() == 4);
  // A quarter clockwise: the upper edge is on the right. The face is 320 x 460 pixels.
  const auto near = [](const json::value& a, double b) { return std::abs(a.to_number<double>() - b) < 25; };
  const auto at = [&](std::size_t i) { return straight[i].to_number<double>(); };
  CHECK(near(side[0], upright.height - 1 - at(3)));
  CHECK(near(side[1], at(0)));
  CHECK(near(head[0], upright.width - 1 - at(2)));
  CHECK(near(head[1], upright.height - 1 - at(3)));
}

TEST_CASE("models use: the choice is kept, and kept photos become embeddings of the new model") {
  const auto data = wajah::shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data");
    return;
  }
  const Workplace place;
  write_random_embedder(place);
  const auto detector = detector_in(*data);
  const std::string onnx = (*data / "mobilefacenet.onnx").string();
  const std::string one = (*data / "photos" / "phone_720x1080.jpg").string(),
                    other = (*data / "photos" / "portrait_1638x2048.jpg").string();
  REQUIRE(place.run({"models", "use", onnx}, detector).status == 0);
  CHECK(contains(place.run({"models", "list", "--json"}, detector).out, "mobilefacenet.onnx"));
  place.write("data/wajah.toml", "[privacy]\nkeep_originals = true\n");
  REQUIRE(place.run({"enrol", "--nik", "1", "--nama", "ANI", one}, detector).status == 0);
  fs::remove(place / "data/wajah.toml");
  REQUIRE(place.run({"enrol", "--nik", "2", "--nama", "BUDI", other}, detector).status == 0);
  CHECK(!contains(place.run({"people", "list"}, detector).out, "needs new photos"));

  const Outcome changed = place.run({"models", "use", "embedder.safetensors"}, detector);
  CAPTURE(changed.err);
  REQUIRE(changed.status == 0);
  CHECK(contains(changed.out, "embedder.safetensors"));
  CHECK(contains(changed.out, "1 of 1 kept photos embedded again"));
  CHECK(contains(changed.out, "need new photos"));
  CHECK(contains(changed.out, "BUDI"));
  CHECK(!contains(changed.out, "ANI"));
  const auto people = objects_of(place.run({"people", "list", "--json"}, detector).out);
  REQUIRE(people.size() == 2);
  CHECK(!people[0].contains("not_recognisable"));
  CHECK(people[1].at("not_recognisable").as_string() == "needs new photos");

  INFO("back again: the embeddings of that model are still there");
  const Outcome back = place.run({"models", "use", onnx, "--json"}, detector);
  CHECK(back.status == 0);
  CHECK(objects_of(back.out).size() == 1);
  CHECK(place.run({"recognise", "--nik", "2", other}, detector).status == 0);
}

TEST_CASE("models use: what cannot be used is refused and changes nothing") {
  const Workplace place;
  write_random_mtcnn(place);
  REQUIRE(place.run({"models", "use", "mtcnn.safetensors"}).status == 0);
  const std::string before = place.read("data/models/in_use.toml");
  CHECK(contains(before, "mtcnn.safetensors"));
  CHECK(!contains(before, "embedder"));
  const auto refused = [&](const std::string& name, int status, const std::string& told) {
    const Outcome outcome = place.run({"models", "use", name});
    CHECK(outcome.status == status);
    CHECK_MESSAGE(contains(outcome.err, told), outcome.err);
    CHECK(place.read("data/models/in_use.toml") == before);
  };
  place.write("text.safetensors", "no weights at all");
  refused("mobilefacenet", 4, "wajah models fetch mobilefacenet");
  refused("nothing", 2, "neither built-in, a file, nor a public model");
  refused("text.safetensors", 4, "text.safetensors");

  INFO("a choice whose file is gone is told wherever weights are wanted");
  fs::remove(place / "mtcnn.safetensors");
  place.write("a.jpg", drawn_jpeg());
  const Outcome gone = place.run({"detect", "a.jpg"});
  CHECK(gone.status == 4);
  CHECK(contains(gone.err, "mtcnn.safetensors is not there"));
  place.write("data/models/in_use.toml", "detector = 7\n");
  CHECK(contains(place.run({"detect", "a.jpg"}).err, "'detector' is not a name or a path"));
  place.write("data/models/in_use.toml", "detector = \n");
  CHECK(contains(place.run({"detect", "a.jpg"}).err, "in_use.toml, line 1"));
  place.write("data/models/in_use.toml", "detektor = \"mtcnn\"\n");
  CHECK(contains(place.run({"detect", "a.jpg"}).err, "unknown key 'detektor'"));
}

TEST_CASE("enrol and models use: what cannot be meant is a usage error") {
  const Workplace place;
  for (const auto& line : std::vector<std::vector<std::string>>{
           {"enrol", "--check"},
           {"enrol", "--check", "--strictness", "hard", "a.jpg"},
           {"enrol", "--nik", "1", "--nama", "ANI", "--strictness", "", "a.jpg"},
           {"models", "use"},
           {"models", "use", "built-in", "mtcnn"},
       }) {
    const Outcome outcome = place.run(line);
    CAPTURE(outcome.err);
    CHECK(outcome.status == 2);
    CHECK(outcome.one_sentence());
  }
  CHECK(place.files().empty());
  CHECK(place.run({"models", "use", "--help"}).out.starts_with("Usage: wajah models use"));
}
