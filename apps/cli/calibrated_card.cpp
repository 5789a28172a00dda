#include "cli/calibrated_card.hpp"

#include "cli/file_hash.hpp"
#include "server/model_card.hpp"

#include <wajah/error.hpp>
#include <wajah/file.hpp>
#include <wajah/text.hpp>
#include <wajah/weights.hpp>

#include <fmt/format.h>
#include <boost/json/serialize.hpp>

#include <array>
#include <cstdint>
#include <span>

namespace wajah::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

struct FileFacts {
  std::int64_t bytes = 0;
  std::string sha256;
};

FileFacts facts_of(const fs::path& file) {
  const MappedFile mapped(file);
  return {static_cast<std::int64_t>(mapped.bytes().size()), sha256_of(mapped.bytes())};
}

bool is(const json::object& card, std::string_view key, const json::value& value) {
  const json::value* found = card.if_contains(key);
  return found != nullptr && *found == value;
}

void fit_in(json::object& card, const Fitted& fitted) {
  card["architecture"] = fitted.model.architecture;
  if (!card.contains("crop")) card["crop"] = to_string(fitted.model.crop);
  card["mirror"] = name_of(fitted.model.mirror);
  card["decision_curve"] = to_string(fitted.calibration.curve);
  json::object facts = json_of(fitted.calibration);
  facts["source"] = fitted.source;
  card["calibration"] = std::move(facts);
}

// One entry a line, as people write cards.
void write(const fs::path& file, const json::object& card) {
  std::string text = "{\n";
  for (const auto& entry : card) {
    text += fmt::format("{} {}: {}", text.size() > 2 ? ",\n" : "", json::serialize(json::string(entry.key())),
                        json::serialize(entry.value()));
  }
  text += "\n}\n";
  const std::array parts{std::as_bytes(std::span(text))};
  write_file(file, parts);
}

void write_metadata(const fs::path& weights, const Fitted& fitted) {
  write_safetensors(read_safetensors(weights).with_metadata({{"decision_curve", to_string(fitted.calibration.curve)},
                                                             {"mirror", std::string(name_of(fitted.model.mirror))}}),
                    weights);
}

// The card of converted weights may tell the hash of the download instead: that one stays.
void follow(json::object& card, const fs::path& weights, const FileFacts& before, const FileFacts& now) {
  const bool by_name = is(card, "file", json::value(weights.filename().string()));
  if (card.contains("bytes") && (by_name || is(card, "bytes", before.bytes))) card["bytes"] = now.bytes;
  if (card.contains("sha256") && (by_name || is(card, "sha256", json::value(before.sha256)))) {
    card["sha256"] = now.sha256;
  }
}

}  // namespace

json::object json_of(const Calibration& calibration) {
  return {{"people", calibration.people},   {"photos", calibration.photos},       {"galleries", calibration.galleries},
          {"genuine", calibration.genuine}, {"strangers", calibration.strangers}, {"namesakes", calibration.namesakes}};
}

json::object read_card_of(const fs::path& file, std::string_view architecture) {
  json::object card = server::read_card(file).value_or(json::object{});
  if (card.contains("architecture") && !is(card, "architecture", json::value(architecture))) {
    fail(ErrorKind::model, "{}: is the card of {}, the weights are {}", file.string(),
         json::serialize(card.at("architecture")), architecture);
  }
  return card;
}

void write_card(const fs::path& file, const Fitted& fitted) {
  json::object card = read_card_of(file, fitted.model.architecture);
  fit_in(card, fitted);
  write(file, card);
}

void write_beside(const fs::path& weights, const Fitted& fitted) {
  const fs::path file = server::card_file(weights);
  json::object card = read_card_of(file, fitted.model.architecture);
  fit_in(card, fitted);
  if (weights.extension() == ".safetensors") {
    const FileFacts before = facts_of(weights);
    write_metadata(weights, fitted);
    follow(card, weights, before, facts_of(weights));
  }
  write(file, card);
}

}  // namespace wajah::cli
