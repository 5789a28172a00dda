// evaluate gallery, evaluate table and calibrate: their slips, and a small run over LFW where it is.
#include "check.hpp"
#include "cli/people_folder.hpp"
#include "cli/program.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>
#include <wajah/decision_curve.hpp>
#include <wajah/error.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

using namespace wajah::test;
namespace cli = wajah::cli;
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::vector<std::string> names_of(const cli::PeopleFolder& folder) {
  std::vector<std::string> names;
  for (const auto& person : folder.people) names.push_back(person.name);
  return names;
}

using Names = std::vector<std::string>;

// Some forty people of LFW, most of them with several photos.
void unpack_people(const Workplace& place, const fs::path& data) {
  const Outcome outcome = place.run_shell("tar -xf '" + (data / "lfw_train_dev.tar").string() +
                                          "' --wildcards 'lfw/Al[a-i]*' 'lfw/Ar*' && test -d lfw");
  REQUIRE_MESSAGE(outcome.status == 0, outcome.err);
}

}  // namespace

TEST_CASE("a folder of people: names in order, pictures only, and who is chosen of them") {
  const Workplace place;
  for (const char* name : {"Bo", "Al", "Di", "Cy"}) {
    fs::create_directories(place / name);
    place.write(std::string(name) + "/b.jpg", "x");
    place.write(std::string(name) + "/a.PNG", "x");
    place.write(std::string(name) + "/notes.txt", "x");
  }
  fs::create_directories(place / "Empty");
  place.write("some", "Al\nCy\r\n");
  const std::string root = place.folder().string(), some = (place / "some").string();

  const cli::PeopleFolder all = cli::read_people({root, "", "", ""});
  CHECK(names_of(all) == Names{"Al", "Bo", "Cy", "Di"});
  CHECK(all.photos() == 8);
  CHECK(all.people[0].photos[0].filename() == "a.PNG");
  CHECK(names_of(cli::read_people({root, some, "", ""})) == Names{"Al", "Cy"});
  CHECK(names_of(cli::read_people({root, "", some, ""})) == Names{"Bo", "Di"});
  CHECK(cli::read_people({root, "", some, ""}).left_out == 2);
  CHECK(names_of(cli::read_people({root, "", "", "1/2"})) == Names{"Al", "Cy"});
  CHECK(names_of(cli::read_people({root, "", "", "2/2"})) == Names{"Bo", "Di"});
  CHECK(names_of(cli::read_people({root, "", some, "2/2"})) == Names{"Bo", "Di"});

  for (const char* part : {"0/2", "3/2", "1", "1/", "/2", "1/2x", "-1/2"}) {
    CAPTURE(part);
    CHECK_THROWS_AS((void)cli::read_people({root, "", "", part}), wajah::Error);
  }
  CHECK_THROWS_WITH_AS((void)cli::read_people({root, some, some, ""}), doctest::Contains("nobody takes part"),
                       wajah::Error);
  CHECK_THROWS_AS((void)cli::read_people({root + "/none", "", "", ""}), wajah::Error);
}

TEST_CASE("what is missing is said in one sentence") {
  const Workplace place;
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"evaluate", "gallery"}, {"evaluate", "table"}, {"calibrate"}}) {
    const Outcome outcome = place.run(words);
    CHECK(outcome.status == 2);
    CHECK(outcome.one_sentence());
    CHECK(contains(outcome.err, "--root is missing"));
  }
  CHECK(place.run({"evaluate", "gallery", "--root", ".", "--people", "0"}).status == 2);
  CHECK(place.run({"calibrate", "--root", "nowhere"}).status == 3);
}

TEST_CASE("evaluate gallery names photos that cannot be read, leaves them out and counts them") {
  const auto data = wajah::shared_data();
  if (!data) {
    MESSAGE("skipped: no LFW photos here");
    return;
  }
  const Workplace place;
  unpack_people(place, *data);
  std::size_t taken = 0;
  for (const auto& person : fs::directory_iterator(place / "lfw")) {
    const auto photos = std::distance(fs::directory_iterator(person), fs::directory_iterator());
    if (photos < 3 || taken == 2) continue;
    fs::create_directories(place / "few");
    fs::copy(person, place / "few" / std::to_string(++taken));
  }
  REQUIRE(taken == 2);
  const std::string jpeg = place.read(fs::relative(*fs::directory_iterator(place / "few/1"), place.folder()).string());
  place.write("few/1/text.jpg", "no picture");
  place.write("few/1/cut.jpg", jpeg.substr(0, jpeg.size() / 2));
  place.write("few/2/empty.jpg", "");
  place.write("few/2/folder.jpg/file", "");
  fs::create_symlink("nothing", place / "few/2/link.jpg");
  place.write("few/3/text.jpg", "no picture");

  const Outcome outcome = place.run(
      {"evaluate", "gallery", "--root", "few", "--people", "2", "--photos", "20", "--strangers", "5", "--json"},
      {{"WAJAH_MTCNN", (*data / "mtcnn").string()}, {"WAJAH_WEIGHTS", (*data / "mobilefacenet.onnx").string()}});
  CAPTURE(outcome.err);
  REQUIRE(outcome.status == 0);
  const json::value report = json::parse(outcome.out);
  CHECK(report.at("people").as_int64() == 2);
  CHECK(report.at("photos_unreadable").as_int64() == 6);
  for (const char* name : {"1/text", "1/cut", "2/empty", "2/folder", "2/link", "3/text"}) {
    CAPTURE(name);
    const std::string line = std::string("wajah evaluate: few/") + name + ".jpg: ";
    const auto at = outcome.err.find(line);
    REQUIRE(at != std::string::npos);
    CHECK(outcome.err.find("few/", at + line.size()) != at + line.size());  // named once
  }
}

TEST_CASE("calibrate writes a card that then decides, and evaluate gallery answers the same again") {
  const auto data = wajah::shared_data();
  if (!data) {
    MESSAGE("skipped: no LFW photos here");
    return;
  }
  const Workplace place;
  unpack_people(place, *data);
  fs::copy_file(*data / "mobilefacenet.onnx", place / "m.onnx");
  const std::map<std::string, std::string> models{{"WAJAH_MTCNN", (*data / "mtcnn").string()},
                                                  {"WAJAH_WEIGHTS", "m.onnx"}};

  const std::vector<std::string> gallery{"evaluate", "gallery", "--root",      "lfw", "--people",       "3",
                                         "--photos", "2",       "--strangers", "15",  "--random-state", "4",
                                         "--json"};
  const Outcome first = place.run(gallery, models);
  REQUIRE_MESSAGE(first.status == 0, first.err);
  const json::value report = json::parse(first.out);
  CHECK(report.at("people").as_int64() == 3);
  CHECK(report.at("strangers").as_int64() == 15);
  CHECK(report.at("people_calibrated_on").as_int64() == 2208);  // the shipped card's
  CHECK(report.at("genuine").as_int64() >= 3);
  CHECK(report.at("rank1").to_number<double>() == 1);
  CHECK(report.at("misidentified").to_number<double>() == 0);
  CHECK(report.at("strangers_accepted").to_number<double>() <= 1.0 / 15);
  CHECK(place.run(gallery, models).out == first.out);

  const Outcome fitted = place.run({"calibrate", "--root", "lfw", "--write", "--json"}, models);
  REQUIRE_MESSAGE(fitted.status == 0, fitted.err);
  const std::string curve(json::parse(fitted.out).at("decision_curve").as_string());
  const json::value card = json::parse(place.read("m.json"));
  CHECK(card.at("architecture").as_string() == "mobilefacenet");
  CHECK(card.at("decision_curve").as_string() == curve.c_str());
  CHECK(card.at("mirror").as_string() == "always");
  CHECK(card.at("calibration").at("source").as_string() == "lfw");
  const Outcome again = place.run(gallery, models);
  REQUIRE_MESSAGE(again.status == 0, again.err);
  CHECK(json::parse(again.out).at("people_calibrated_on").as_int64() == card.at("calibration").at("people").as_int64());
  CHECK(wajah::parse_decision_curve(curve).similarity > 0);

  // A card that lets nobody in lets nobody in.
  place.write("m.json", R"({"architecture": "mobilefacenet", "decision_curve": "-100 1 0 0 0"})");
  const Outcome strict = place.run(gallery, models);
  REQUIRE_MESSAGE(strict.status == 0, strict.err);
  CHECK(json::parse(strict.out).at("genuine_accepted").to_number<double>() == 0);
  CHECK(json::parse(strict.out).at("rank1").to_number<double>() == 1);
  CHECK(json::parse(strict.out).at("people_calibrated_on").is_null());
  place.write("m.json", R"({"architecture": "inception-resnet-v1"})");
  CHECK(place.run(gallery, models).status == 4);
  place.write("m.json", R"({"some": "other file"})");
  CHECK(place.run(gallery, models).out == first.out);

  std::vector<std::string> drawn = gallery;
  drawn.insert(drawn.end(), {"--plot", "det.svg"});
  CHECK(place.run(drawn, models).status == 0);
  CHECK(contains(place.read("det.svg"), "strangers accepted"));
}
