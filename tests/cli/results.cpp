// What commands print and write when all is well, on weights and inputs made here.
#include "check.hpp"
#include "cli/inputs.hpp"
#include "cli/lfw_pairs.hpp"
#include "cli/program.hpp"

#include <wajah/convert/npy.hpp>

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <cmath>
#include <sstream>

using namespace wajah::test;
namespace json = boost::json;

namespace {

json::object object_of(const std::string& line) {
  json::error_code error;
  const json::value value = json::parse(line, error);
  REQUIRE_MESSAGE(!error, line);
  return value.as_object();
}

std::vector<std::string> keys_of(const json::object& object) {
  std::vector<std::string> keys;
  for (const auto& member : object) keys.emplace_back(member.key());
  return keys;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

using Keys = std::vector<std::string>;

}  // namespace

TEST_CASE("detect prints a line of JSON an image and draws") {
  const Workplace place;
  write_random_mtcnn(place);
  place.write("a.jpg", drawn_jpeg());
  const Outcome outcome = place.run({"detect", "--json", "--mtcnn", "mtcnn.safetensors", "--min-size", "60",
                                     "--thresholds", "0.01,0.01,0.01", "--draw", "drawn.jpg", "a.jpg"});
  CAPTURE(outcome.err);
  REQUIRE(outcome.status == 0);
  const json::object line = object_of(outcome.out);
  CHECK(keys_of(line) == Keys{"image", "width", "height", "faces", "ms"});
  CHECK(line.at("image").as_string() == "a.jpg");
  CHECK(line.at("width").as_int64() == 400);
  CHECK(line.at("height").as_int64() == 240);
  CHECK(keys_of(line.at("ms").as_object()) == Keys{"decode", "detect"});
  const json::array& faces = line.at("faces").as_array();
  REQUIRE(!faces.empty());  // at these thresholds everything is a face
  CHECK(keys_of(faces[0].as_object()) == Keys{"box", "score", "landmarks"});
  CHECK(faces[0].at("box").as_array().size() == 4);
  CHECK(faces[0].at("landmarks").as_array().size() == 5);
  CHECK(place.read("drawn.jpg").starts_with("\xFF\xD8"));
  CHECK(place.read("drawn.jpg") != place.read("a.jpg"));
}

TEST_CASE("embed turns crops into unit vectors") {
  const Workplace place;
  write_random_embedder(place);
  std::string pixels(2 * 160 * 160 * 3, '\0');
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<char>(i * i / 7);
  place.write("x.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 160, 160, 3), }", pixels));
  const Outcome outcome =
      place.run({"embed", "--weights", "embedder.safetensors", "--input", "x.npy", "--output", "e.npy", "--json"});
  CAPTURE(outcome.err);
  REQUIRE(outcome.status == 0);
  const wajah::NpyArray array = wajah::read_npy(place / "e.npy");
  CHECK(array.type == wajah::DataType::f32);
  REQUIRE(array.shape == std::vector<std::int64_t>{2, 512});
  const std::vector<float> values = array.values<float>();
  for (const std::size_t row : {std::size_t{0}, std::size_t{1}}) {
    double sum = 0;
    for (std::size_t i = 0; i < 512; ++i) sum += static_cast<double>(values[row * 512 + i]) * values[row * 512 + i];
    CHECK(std::sqrt(sum) == doctest::Approx(1).epsilon(1e-5));
  }
}

TEST_CASE("train and predict: two clusters") {
  const Workplace place;
  place.write("x.npy", npy_of({-1, -1, -2, -1, -1, -2, 1, 1, 2, 1, 1, 2}, "(6, 2)"));
  place.write("y.npy", npy_of(std::vector<std::int64_t>{7, 7, 7, 3, 3, 3}));
  REQUIRE(place
              .run({"train", "--features", "x.npy", "--labels", "y.npy", "--output", "m.model", "-C", "10",
                    "--tolerance", "1e-6"})
              .status == 0);
  CHECK(place.read("m.model").starts_with("svm_type c_svc\nkernel_type linear\n"));
  const Outcome outcome =
      place.run({"predict", "--model", "m.model", "--features", "x.npy", "--decision", "d.npy", "--json"});
  REQUIRE(outcome.status == 0);
  CHECK(outcome.out == "{\"rows\":6,\"labels\":[7,3],\"votes\":[3,3]}\n");
  // The margin is between (-1, -1) and (1, 1): w = (-1/2, -1/2) towards label 7, f = +-1 on both.
  const std::vector<double> decisions = wajah::read_npy(place / "d.npy").values<double>();
  REQUIRE(decisions.size() == 6);
  CHECK(decisions[0] == doctest::Approx(1).epsilon(1e-4));
  CHECK(decisions[1] == doctest::Approx(1.5).epsilon(1e-4));
  CHECK(decisions[3] == doctest::Approx(-1).epsilon(1e-4));
  // Probabilities were not trained for.
  CHECK(place.run({"predict", "--model", "m.model", "--features", "x.npy", "--output", "p.npy"}).status == 4);
}

TEST_CASE("train with probabilities gives rows that sum to one") {
  const Workplace place;
  std::vector<float> x;
  std::vector<std::int64_t> y;
  for (int i = 0; i < 30; ++i) {
    x.push_back(static_cast<float>(i % 3) + 0.1F * static_cast<float>(i % 7));
    x.push_back(static_cast<float>(i % 5) * 0.1F);
    y.push_back(i % 3);
  }
  place.write("x.npy", npy_of(x, "(30, 2)"));
  place.write("y.npy", npy_of(y));
  REQUIRE(place
              .run({"train", "--features", "x.npy", "--labels", "y.npy", "--output", "m", "--kernel", "rbf",
                    "--probability", "--threads", "1"})
              .status == 0);
  REQUIRE(place.run({"predict", "--model", "m", "--features", "x.npy", "--output", "p.npy"}).status == 0);
  const wajah::NpyArray array = wajah::read_npy(place / "p.npy");
  REQUIRE(array.shape == std::vector<std::int64_t>{30, 3});
  const std::vector<double> p = array.values<double>();
  for (std::size_t i = 0; i < 30; ++i) CHECK(p[3 * i] + p[3 * i + 1] + p[3 * i + 2] == doctest::Approx(1));
}

TEST_CASE("bench net needs no file and reports every setting") {
  const Workplace place;
  const Outcome outcome =
      place.run({"bench", "net", "--net", "onet", "--batch", "1,4", "--threads", "1,2", "--seconds", "0.02", "--json"});
  REQUIRE(outcome.status == 0);
  const std::vector<std::string> lines = lines_of(outcome.out);
  REQUIRE(lines.size() == 4);
  const json::object first = object_of(lines[0]);
  CHECK(keys_of(first) == Keys{"net", "device", "isa", "precision", "batch", "threads", "median_ms_per_image",
                               "min_ms_per_image", "spread", "gflops", "peak_fraction"});
  CHECK(first.at("batch").as_int64() == 1);
  CHECK(first.at("threads").as_int64() == 1);
  CHECK(object_of(lines[3]).at("batch").as_int64() == 4);
  for (const std::string& line : lines) {
    const json::object setting = object_of(line);
    CHECK(setting.at("min_ms_per_image").to_number<double>() <= setting.at("median_ms_per_image").to_number<double>());
    CHECK(setting.at("gflops").to_number<double>() > 0);
  }
  CHECK(place.files().empty());
}

TEST_CASE("bench layers measures every layer of a network") {
  const Workplace place;
  const Outcome outcome = place.run({"bench", "layers", "--net", "pnet", "--seconds", "0.005", "--json"});
  REQUIRE(outcome.status == 0);
  double share = 0;
  std::vector<std::string> names;
  for (const std::string& line : lines_of(outcome.out)) {
    const json::object layer = object_of(line);
    names.emplace_back(layer.at("layer").as_string());
    share += layer.at("share").to_number<double>();
  }
  CHECK(names == Keys{"conv1", "MaxPool2d", "conv2", "conv3", "conv4-1", "Softmax", "conv4-2"});
  CHECK(share == doctest::Approx(1).epsilon(0.01));
}

TEST_CASE("the signature is the same every time, and another with other weights") {
  const Workplace place;
  write_random_mtcnn(place);
  write_random_embedder(place);
  const std::vector<std::string> line{"bench",     "--signature",         "--mtcnn", "mtcnn.safetensors",
                                      "--weights", "embedder.safetensors"};
  const Outcome once = place.run(line);
  REQUIRE(once.status == 0);
  CHECK(once.out.size() == 17);
  CHECK(place.run(line).out == once.out);
  std::string bytes = place.read("embedder.safetensors");
  bytes[bytes.size() / 2 + 2] = static_cast<char>(bytes[bytes.size() / 2 + 2] ^ 0x40);
  for (std::size_t i = bytes.size() / 2; i < bytes.size() / 2 + 4096; i += 4) bytes[i + 3] = 0x3F;
  place.write("embedder.safetensors", bytes);
  CHECK(place.run(line).out != once.out);
}

TEST_CASE("convert writes what it read, and the tensors are the same") {
  const Workplace place;
  write_random_mtcnn(place);
  const Outcome outcome = place.run({"convert", "--mtcnn", "mtcnn.safetensors", "--output", "again.safetensors"});
  CAPTURE(outcome.err);
  REQUIRE(outcome.status == 0);
  const auto fingerprint = [&](const std::string& file) {
    const Outcome info = place.run({"models", "info", "--json", file});
    REQUIRE(info.status == 0);
    return std::string(object_of(info.out).at("fingerprint").as_string());
  };
  CHECK(fingerprint("again.safetensors") == fingerprint("mtcnn.safetensors"));
}

TEST_CASE("models info tells what a file holds") {
  const Workplace place;
  write_random_mtcnn(place);
  const json::object info = object_of(place.run({"models", "info", "--json", "--tensors", "mtcnn.safetensors"}).out);
  CHECK(info.at("metadata").at("architecture").as_string() == "mtcnn");
  CHECK(info.at("tensors").as_int64() == static_cast<std::int64_t>(info.at("names").as_object().size()));
  CHECK(info.at("names").at("pnet/conv1/weights").at("shape") == json::array{3, 3, 3, 10});
  CHECK(place.run({"models", "info", "absent"}).status == 4);
}

TEST_CASE("doctor says ok, warn or fail of each thing") {
  const Workplace place;
  const Outcome outcome = place.run({"doctor", "--json"});
  CHECK(outcome.status == 0);
  Keys checks;
  for (const std::string& line : lines_of(outcome.out)) {
    const json::object finding = object_of(line);
    checks.emplace_back(finding.at("check").as_string());
    CHECK_MESSAGE(finding.at("state") != "fail", line);
  }
  CHECK(checks ==
        Keys{"CPU", "GPU", "Detector", "Embedder", "Database", "Disk", "Time", "Settings", "Access", "TLS", "OpenSSL"});
  CHECK(place.files().empty());
  place.write("bad.safetensors", "no model");
  CHECK(place.run({"doctor", "--weights", "bad.safetensors"}).status == 1);
  const Outcome card = place.run({"doctor", "--device", "cuda:99"});
  CHECK(card.status == 1);
  CHECK(card.out.find("fail  GPU       --device cuda:99: ") != std::string::npos);
  CHECK(card.out.find("ok    CPU ") != std::string::npos);
  CHECK(place.run({"doctor", "--device", "cpu"}).out.find("ok    GPU       not looked for: --device cpu") !=
        std::string::npos);
}

TEST_CASE("LFW's lists of pairs are read as they are published") {
  const Workplace place;
  place.write("pairs.txt", "2\t1\nA_B\t1\t2\n# a comment\n\nA_B 2 C 13\r\n");
  const wajah::cli::PairList list = wajah::cli::read_pairs(place / "pairs.txt");
  CHECK(list.photos == Keys{"A_B/A_B_0001.jpg", "A_B/A_B_0002.jpg", "C/C_0013.jpg"});
  REQUIRE(list.pairs.size() == 2);
  CHECK(list.pairs[0].same);
  CHECK(list.pairs[0].second == 1);
  CHECK(!list.pairs[1].same);
  CHECK(list.pairs[1].first == 1);
  CHECK(list.pairs[1].second == 2);
}
