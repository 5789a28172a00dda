// From photos to answers on the shared data, where it is: MobileFaceNet on LFW.
#include "check.hpp"
#include "cli/program.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <tuple>

using namespace wajah::test;
namespace fs = std::filesystem;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Unpacks the photos of some people into lfw/<name>/.
void unpack(const Workplace& place, const fs::path& data, const std::vector<std::string>& names) {
  std::string line = "tar -xf '" + (data / "lfw_train_dev.tar").string() + "'";
  for (const std::string& name : names) line += " lfw/" + name;
  const Outcome outcome = place.run_shell(line);
  REQUIRE_MESSAGE(outcome.status == 0, outcome.err);
}

std::map<std::string, std::string> models_in(const fs::path& data) {
  return {{"WAJAH_MTCNN", (data / "mtcnn").string()}, {"WAJAH_WEIGHTS", (data / "mobilefacenet.onnx").string()}};
}

std::string photo(const std::string& name, const std::string& number) {
  return "lfw/" + name + "/" + name + "_00" + number + ".jpg";
}

}  // namespace

TEST_CASE("enrol, recognise, verify and people on photos of LFW") {
  const auto data = wajah::shared_data();
  if (!data) {
    MESSAGE("skipped: no LFW photos here");
    return;
  }
  const Workplace place;
  unpack(place, *data, {"Tony_Blair", "Colin_Powell", "Aaron_Guiel"});
  const auto models = models_in(*data);
  for (const auto& [nik, name, person] :
       {std::tuple("1", "TONY", "Tony_Blair"), std::tuple("2", "COLIN", "Colin_Powell")}) {
    for (const char* number : {"01", "02", "03", "04"}) {
      fs::create_directories(place / "staff" / nik / name);
      fs::copy(place / photo(person, number), place / "staff" / nik / name / (std::string(number) + ".jpg"));
    }
  }
  const Outcome enrolled = place.run({"enrol", "--dir", "staff", "--json"}, models);
  CHECK(enrolled.status == 0);
  CHECK(contains(enrolled.out, R"({"nik":"1","name":"TONY","stored":4,"skipped":[],"error":null})"));

  CHECK(place.run({"recognise", "--nik", "1", photo("Tony_Blair", "06")}, models).status == 0);
  CHECK(place.run({"recognise", "--nik", "2", photo("Tony_Blair", "06")}, models).status == 1);
  const Outcome stranger = place.run({"recognise", "--json", photo("Aaron_Guiel", "01")}, models);
  CHECK(stranger.status == 1);
  CHECK(contains(stranger.out, R"("name":"Unknown")"));
  CHECK(place.run({"verify", photo("Tony_Blair", "01"), photo("Tony_Blair", "02")}, models).status == 0);
  CHECK(place.run({"verify", photo("Tony_Blair", "01"), photo("Colin_Powell", "01")}, models).status == 1);

  CHECK(place.run({"people", "delete", "--nik", "1", "--nama", "COLIN"}).status == 3);
  CHECK(place.run({"people", "delete", "--nik", "1", "--nama", "TONY"}).status == 0);
  CHECK(place.run({"recognise", photo("Tony_Blair", "06")}, models).status == 1);
  const Outcome left = place.run({"people", "list", "--json"});
  CHECK(std::ranges::count(left.out, '\n') == 1);
  CHECK(contains(left.out, R"("nik":"2","name":"COLIN","photos":4)"));
}

TEST_CASE("evaluate pairs: MobileFaceNet verifies LFW's development pairs") {
  const auto data = wajah::shared_data();
  if (!data) {
    MESSAGE("skipped: no LFW photos here");
    return;
  }
  const Workplace place;
  unpack(place, *data, {});
  const Outcome outcome = place.run({"evaluate", "pairs", "--root", "lfw", "--pairs",
                                     (*data / "lfw_pairs_dev.txt").string(), "--json", "--scores", "scores.csv"},
                                    models_in(*data));
  CAPTURE(outcome.err);
  REQUIRE(outcome.status == 0);
  const boost::json::value report = boost::json::parse(outcome.out);
  CHECK(report.at("pairs").as_int64() == 1200);
  CHECK(report.at("missing").as_int64() == 0);
  CHECK(report.at("accuracy").to_number<double>() >= 0.988);
  CHECK(report.at("auc").to_number<double>() >= 0.995);
  CHECK(report.at("tar").at("1e-2").to_number<double>() >= 0.98);
  const std::string scores = place.read("scores.csv");
  CHECK(std::ranges::count(scores, '\n') == 1200);
}
