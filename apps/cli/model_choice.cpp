#include "cli/model_choice.hpp"

#include <wajah/error.hpp>
#include <wajah/file.hpp>
#include <wajah/text.hpp>

#include <fmt/format.h>
#include <toml++/toml.h>

#include <array>
#include <sstream>
#include <string_view>
#include <system_error>

namespace wajah::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view file_name = "in_use.toml", how_to_mend = "'wajah models use NAME' writes this file anew";

std::optional<std::string> text_of(const toml::node& node, const fs::path& file, std::string_view key) {
  const auto text = node.value<std::string>();
  if (node.is_string() && text && !text->empty()) return text;
  fail(ErrorKind::model, "{}: {} is not a name or a path; {}", file.string(), quote(key), how_to_mend);
}

}  // namespace

ModelChoice read_model_choice(const fs::path& models) {
  const fs::path file = models / file_name;
  std::error_code none;
  if (!fs::exists(file, none)) return {};
  ModelChoice choice;
  try {
    const toml::table table = toml::parse_file(file.string());
    for (const auto& [key, node] : table) {
      if (key.str() == "detector") {
        choice.detector = text_of(node, file, key.str());
      } else if (key.str() == "embedder") {
        choice.embedder = text_of(node, file, key.str());
      } else {
        fail(ErrorKind::model, "{}: unknown key {}, expected detector and embedder; {}", file.string(),
             quote(key.str()), how_to_mend);
      }
    }
  } catch (const toml::parse_error& error) {
    fail(ErrorKind::model, "{}, line {}: {}; {}", file.string(), error.source().begin.line, error.description(),
         how_to_mend);
  }
  return choice;
}

void write_model_choice(const ModelChoice& choice, const fs::path& models) {
  toml::table table;
  if (choice.detector) table.insert("detector", *choice.detector);
  if (choice.embedder) table.insert("embedder", *choice.embedder);
  std::ostringstream text;
  text << "# Written by 'wajah models use'; what is absent is built in.\n" << table << '\n';
  const std::string written = text.str();
  std::error_code failed;
  fs::create_directories(models, failed);
  const std::array parts{std::as_bytes(std::span(written))};
  write_file(models / file_name, parts);
}

}  // namespace wajah::cli
