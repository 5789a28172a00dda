#include "cli/calibrated_on.hpp"

#include "cli/weight_files.hpp"
#include "server/model_card.hpp"

#include <wajah/text.hpp>

#include <boost/json.hpp>

#include <algorithm>

namespace wajah::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

std::string string_or_empty(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  const json::string* text = found != nullptr ? found->if_string() : nullptr;
  return text != nullptr ? std::string(*text) : std::string();
}

// Nothing if the card's curve is another one, or nobody counted the people it was fitted on.
std::optional<CalibratedOn> calibrated_on(const fs::path& file, const ModelCard& model) {
  const std::optional<json::object> card = server::read_card(file);
  if (!card || string_or_empty(*card, "decision_curve") != to_string(model.curve)) return std::nullopt;
  const json::value* calibration = card->if_contains("calibration");
  const json::object* facts = calibration != nullptr ? calibration->if_object() : nullptr;
  const json::value* people = facts != nullptr ? facts->if_contains("people") : nullptr;
  const std::int64_t* count = people != nullptr ? people->if_int64() : nullptr;
  if (count == nullptr) return std::nullopt;
  return CalibratedOn{*count, string_or_empty(*facts, "source")};
}

}  // namespace

std::optional<CalibratedOn> calibrated_on(const CommonOptions& options, const ModelCard& model) {
  if (auto found = calibrated_on(server::card_file(embedder_file(options)), model)) return found;
  std::string name = model.architecture;
  std::ranges::replace(name, '-', '_');
  for (const fs::path& folder : built_in_folders()) {
    if (auto found = calibrated_on(folder / (name + ".json"), model)) return found;
  }
  return std::nullopt;
}

std::string text_of(const std::optional<CalibratedOn>& calibrated) {
  if (!calibrated) return "on whom the curve was fitted is not written down";
  if (calibrated->source.empty()) return fmt::format("the curve was fitted on {} people", calibrated->people);
  return fmt::format("the curve was fitted on {} people ({})", calibrated->people, quote(calibrated->source));
}

}  // namespace wajah::cli
