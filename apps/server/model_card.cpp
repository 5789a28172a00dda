#include "server/model_card.hpp"

#include <wajah/convert/open.hpp>
#include <wajah/decision_curve.hpp>
#include <wajah/error.hpp>
#include <wajah/file.hpp>
#include <wajah/text.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <system_error>

namespace wajah::server {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr std::size_t largest_card = std::size_t{1} << 20;
struct Entry {
  std::string_view key;
  void (*check)(std::string_view text);  // throws Error (model)
};

constexpr std::array<Entry, 3> entries{{
    {"crop", [](std::string_view text) { (void)parse_crop(text); }},
    {"decision_curve", [](std::string_view text) { (void)parse_decision_curve(text); }},
    {"mirror", [](std::string_view text) { (void)parse_mirror(text); }},
}};

std::string text_of(const json::object& card, std::string_view key, const fs::path& file) {
  const json::value& value = card.at(key);
  if (const json::string* text = value.if_string()) return std::string(*text);
  fail(ErrorKind::model, "{}: {} is no text, expected one as 'wajah calibrate' writes it", file.string(), quote(key));
}

// The parsers know no file; whoever reads of a bad curve wants to know which card to mend.
std::string checked_entry(const json::object& card, const Entry& entry, const fs::path& file) {
  const std::string text = text_of(card, entry.key, file);
  try {
    entry.check(text);
  } catch (const Error& error) {
    fail(ErrorKind::model, "{}: {}", file.string(), error.what());
  }
  return text;
}

}  // namespace

fs::path card_file(const fs::path& weights) { return fs::path(weights).replace_extension(".json"); }

std::optional<json::object> read_card(const fs::path& card) {
  std::error_code none;
  if (!fs::is_regular_file(card, none)) return std::nullopt;
  const MappedFile file(card);
  if (file.bytes().size() > largest_card) return std::nullopt;
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error) {
    fail(ErrorKind::model, "{}: is no JSON ({}), expected the model card of the weights beside it", card.string(),
         error.message());
  }
  const json::object* object = value.if_object();
  if (!object || !object->contains("architecture")) return std::nullopt;
  return *object;
}

Weights open_embedder(const fs::path& file) {
  const Weights weights = wajah::open_embedder(file);
  const fs::path path = card_file(file);
  const auto card = read_card(path);
  if (!card) return weights;
  const std::string architecture = text_of(*card, architecture_key, path);
  const std::string& expected = weights.metadata().at(std::string(architecture_key));
  if (architecture != expected) {
    fail(ErrorKind::model, "{}: is the card of {}, the weights beside it are {}", path.string(), quote(architecture),
         expected);
  }
  std::map<std::string, std::string> metadata;
  for (const Entry& entry : entries) {
    if (card->contains(entry.key)) metadata.emplace(entry.key, checked_entry(*card, entry, path));
  }
  return weights.with_metadata(metadata);
}

std::string licence_of(const fs::path& file, const Weights& weights) {
  const auto card = read_card(card_file(file));
  const json::value* stated = card ? card->if_contains("licence") : nullptr;
  if (stated && stated->is_string()) return std::string(stated->get_string());
  const auto found = weights.metadata().find("licence");
  return found == weights.metadata().end() ? std::string() : found->second;
}

Weights open_embedder(const fs::path& file, std::optional<Mirror> mirror) {
  const Weights weights = open_embedder(file);
  return mirror ? weights.with_metadata({{"mirror", std::string(name_of(*mirror))}}) : weights;
}

}  // namespace wajah::server
