// What calibrate writes into cards and weights that are there already.
#include "cli/calibrated_card.hpp"
#include "cli/file_hash.hpp"
#include "cli/inputs.hpp"
#include "cli/program.hpp"
#include "server/model_card.hpp"

#include <wajah/error.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <boost/json.hpp>

using namespace wajah::test;
namespace cli = wajah::cli;
namespace json = boost::json;

namespace {

cli::Fitted fitted_on(const wajah::ModelCard& model) {
  cli::Fitted fitted{model, {}, "lfw"};
  fitted.calibration.curve = {-1, 20, 10, -0.5, 3};
  fitted.calibration.people = 40;
  return fitted;
}

std::string hash_of(const std::string& bytes) { return cli::sha256_of(std::as_bytes(std::span(bytes))); }

}  // namespace

TEST_CASE("calibrate: a card of another architecture is an error and stays as it is") {
  const Workplace place;
  write_random_embedder(place);
  const cli::Fitted fitted = fitted_on(card_of(wajah::server::open_embedder(place / "embedder.safetensors")));
  const std::string other = R"({"architecture": "mobilefacenet", "licence": "theirs"})";
  place.write("other.json", other);
  CHECK_THROWS_WITH_AS(cli::write_card(place / "other.json", fitted),
                       doctest::Contains(R"(other.json: is the card of "mobilefacenet", the weights are inception-)"),
                       wajah::Error);
  CHECK(place.read("other.json") == other);

  INFO("told before a photo is looked at");
  write_random_mtcnn(place);
  place.write("people/ANI/1.jpg", "no photo");
  const Outcome outcome = place.run({"calibrate", "--root", "people", "--output", "other.json", "--mtcnn",
                                     "mtcnn.safetensors", "--weights", "embedder.safetensors"});
  CHECK(outcome.status == 4);
  CHECK(outcome.one_sentence());
  CHECK(outcome.err.find("is the card of") != std::string::npos);

  place.write("own.json", R"({"architecture": "inception-resnet-v1", "licence": "mine"})");
  cli::write_card(place / "own.json", fitted);
  const json::value own = json::parse(place.read("own.json"));
  CHECK(own.at("licence").as_string() == "mine");
  CHECK(own.at("decision_curve").as_string() == "-1 20 10 -0.5 3");
  CHECK(own.at("calibration").at("people").as_int64() == 40);
}

TEST_CASE("calibrate --write: size and hash in the card are those of the file as it is then") {
  const Workplace place;
  write_random_embedder(place);
  const std::string before = place.read("embedder.safetensors");
  const cli::Fitted fitted = fitted_on(card_of(wajah::server::open_embedder(place / "embedder.safetensors")));
  const auto card_after = [&](const std::string& facts) {
    place.write("embedder.json", R"({"architecture": "inception-resnet-v1", )" + facts + "}");
    cli::write_beside(place / "embedder.safetensors", fitted);
    return json::parse(place.read("embedder.json"));
  };

  const auto told = card_after(fmt::format(R"("bytes": {}, "sha256": "{}")", before.size(), hash_of(before)));
  const std::string after = place.read("embedder.safetensors");
  CHECK(after != before);
  CHECK(told.at("sha256").as_string() == hash_of(after));
  CHECK(told.at("bytes").as_int64() == static_cast<std::int64_t>(after.size()));

  const auto mended = card_after(R"("file": "embedder.safetensors", "bytes": 1, "sha256": "wrong before")");
  CHECK(mended.at("sha256").as_string() == hash_of(place.read("embedder.safetensors")));
  CHECK(mended.at("bytes").as_int64() == static_cast<std::int64_t>(after.size()));

  const auto made = card_after(R"("source": "somewhere", "sha256": "of the download")");
  CHECK(made.at("sha256").as_string() == "of the download");
  CHECK(!made.as_object().contains("bytes"));
}
