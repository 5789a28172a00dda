// The whole way from photos to a figure, on the shared data where it is: LFW's development pairs by MobileFaceNet.
#include "check.hpp"
#include "cli/program.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

using namespace wajah::test;

TEST_CASE("evaluate pairs: MobileFaceNet verifies LFW's development pairs") {
  const auto data = wajah::shared_data();
  if (!data) {
    MESSAGE("skipped: no LFW photos here");
    return;
  }
  const Workplace place;
  REQUIRE(place.run_shell("tar -xf '" + (*data / "lfw_train_dev.tar").string() + "'").status == 0);
  const Outcome outcome =
      place.run({"evaluate", "pairs", "--root", "lfw", "--pairs", (*data / "lfw_pairs_dev.txt").string(), "--mtcnn",
                 (*data / "mtcnn").string(), "--weights", (*data / "mobilefacenet.onnx").string(), "--json", "--scores",
                 "scores.csv"});
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
