// wajah bench refuses what it would take no notice of, and its lines of JSON can be read alone.
#include "cli/program.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

namespace {

namespace json = boost::json;
using wajah::test::Outcome;
using wajah::test::Workplace;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("bench refuses what it would take no notice of") {
  const Workplace place;
  for (const auto& line :
       std::vector<std::vector<std::string>>{{"--check", "cpu,cpu", "--net", "rnet", "--precision", "fp16"},
                                             {"--check", "cpu,cpu", "--net", "rnet", "--precision", "foo"},
                                             {"--check", "cpu,cpu", "--net", "rnet", "--exact", "direct"},
                                             {"--check", "cpu,cpu", "--net", "rnet", "--batch", "1,2"},
                                             {"--check", "cpu,cpu", "--net", "rnet", "--tolerance", "nan"},
                                             {"--check", "cpu,cpu", "--net", "rnet", "--device", "cpu"},
                                             {"--check", "cpu,auto", "--net", "rnet"},
                                             {"svm", "--seconds", "inf"},
                                             {"svm", "--photos", "1000000000000000000"},
                                             {"gallery", "--seconds", "0"},
                                             {"gallery", "--dim", "99999999999999999"},
                                             {"search", "--nearest", "0"},
                                             {"search", "--vectors", "10", "--nearest", "11"},
                                             {"recognise", "--people", "0", "a.jpg"},
                                             {"detect", "--most", "3", "a.jpg"},
                                             {"net", "--batch", "99999999999"}}) {
    std::vector<std::string> words{"bench"};
    words.insert(words.end(), line.begin(), line.end());
    const Outcome outcome = place.run(words);
    CAPTURE(outcome.err);
    CHECK(outcome.status == 2);
    CHECK(contains(outcome.err, "--"));
    CHECK_FALSE(contains(outcome.err, "vector"));
  }
}

TEST_CASE("bench detect --check does not pass on no picture at all") {
  const Workplace place;
  const Outcome outcome = place.run({"bench", "detect", "--check", "."});
  CHECK(outcome.status == 3);
  CHECK(contains(outcome.err, "no .jpg, .jpeg, .png or .webp below"));
}

TEST_CASE("a precision that only cards have is the device's fault, and the message says what a CPU has") {
  const Workplace place;
  const Outcome outcome = place.run({"bench", "net", "--net", "rnet", "--precision", "tf32"});
  CHECK(outcome.status == 5);
  CHECK(contains(outcome.err, "--precision tf32: needs a CUDA card; CPUs have auto, fp32, int8 and fp16"));
}

TEST_CASE("lines of JSON say what they were measured with") {
  const Workplace place;
  const Outcome layers =
      place.run({"bench", "layers", "--net", "rnet", "--seconds", "0.001", "--threads", "1", "--json"});
  const json::object layer = json::parse(layers.out.substr(0, layers.out.find('\n'))).as_object();
  CHECK(layer.at("net") == "rnet");
  CHECK(layer.at("precision") == "fp32");
  CHECK(layer.at("threads") == 1);
  const Outcome svm =
      place.run({"bench", "svm", "--people", "2", "--photos", "2", "--dim", "8", "--seconds", "0.001", "--json"});
  CHECK(json::parse(svm.out).at("threads").to_number<int>() >= 1);
}

}  // namespace
