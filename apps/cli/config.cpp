#include "cli/config.hpp"

#include "cli/suggest.hpp"

#include <wajah/error.hpp>
#include <wajah/text.hpp>

#include <fmt/format.h>
#include <toml++/toml.h>
#include <unistd.h>
#include <boost/json/object.hpp>
#include <boost/json/value_from.hpp>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

namespace wajah::cli {

namespace fs = std::filesystem;
using server::Setting;

namespace {

constexpr std::string_view config_variable = "WAJAH_CONFIG", data_key = "storage.data";

// Variables of wajah's that are no settings: options of commands that serve does not have, the instruction set, how
// kernels are launched, where models are fetched from, and where tests find their data.
constexpr std::string_view other_variables[] = {config_variable,
                                                "WAJAH_EXACT",
                                                "WAJAH_JSON",
                                                "WAJAH_FETCH_BASE",
                                                "WAJAH_ISA",
                                                "WAJAH_FP16",
                                                "WAJAH_CUDA_DEPENDENT_LAUNCH",
                                                "WAJAH_CUDA_FUSED_BLOCKS",
                                                "WAJAH_CUDA_WARPGROUP_PRODUCTS",
                                                "WAJAH_SHARED"};

const Setting* find_key(std::span<const Setting> list, std::string_view key) {
  const auto named = [&](const Setting& setting) { return setting.key == key || setting.former == key; };
  const auto found = key.empty() ? list.end() : std::ranges::find_if(list, named);
  return found == list.end() ? nullptr : &*found;
}

// By the whole key, or by its last word where the section was forgotten or confused.
std::string suggested_key(std::span<const Setting> list, std::string_view key) {
  std::vector<std::string_view> keys;
  const auto last_word = [](std::string_view text) { return text.substr(text.rfind('.') + 1); };
  for (const auto& setting : list) {
    if (last_word(setting.key) == last_word(key)) return fmt::format("; did you mean {}?", setting.key);
    keys.push_back(setting.key);
  }
  return suggestion(key, keys);
}

// One wajah.toml on its way into the settings.
class TomlReader {
 public:
  TomlReader(Configuration& target, std::span<const Setting> list, fs::path file)
      : target_(target), list_(list), file_(std::move(file)) {}

  void read() {
    std::ifstream stream(file_);
    std::ostringstream text;
    text << stream.rdbuf();
    if (!stream || !text) fail(ErrorKind::input, "{}: cannot be read", file_.string());
    try {
      const toml::table table = toml::parse(text.view(), file_.string());
      read_table(table, {});
    } catch (const toml::parse_error& error) {
      fail(ErrorKind::usage, "{}: {}", place(error.source()), error.description());
    }
    target_.files.push_back(file_);
  }

 private:
  [[nodiscard]] std::string place(const toml::source_region& source) const {
    return fmt::format("{}:{}", file_.string(), source.begin.line);
  }

  void read_table(const toml::table& table, const std::string& prefix) {
    for (const auto& [name, node] : table) {
      const auto key = prefix + std::string(name.str());
      if (const auto* inner = node.as_table()) {
        read_table(*inner, key + ".");
      } else {
        read_value(key, node, name.source());
      }
    }
  }

  void read_value(const std::string& key, const toml::node& node, const toml::source_region& source) {
    const auto* setting = find_key(list_, key);
    const auto where = place(source);
    if (!setting) fail(ErrorKind::usage, "{}: unknown key {}{}", where, quote(key), suggested_key(list_, key));
    server::set_value(*setting, value_of(node, where, key), fmt::format("{}: {}", where, key));
    target_.origins[std::string(setting->key)] = where;
  }

  static server::TypedValue value_of(const toml::node& node, const std::string& where, const std::string& key) {
    if (const auto* value = node.as_boolean()) return value->get();
    if (const auto* value = node.as_integer()) return value->get();
    if (const auto* value = node.as_floating_point()) return value->get();
    if (const auto* value = node.as_string()) return value->get();
    std::vector<std::string> texts;
    const auto* array = node.as_array();
    for (std::size_t i = 0; array && i < array->size(); ++i) {
      if (const auto* text = (*array)[i].as_string()) texts.push_back(text->get());
    }
    if (!array || texts.size() != array->size()) {
      fail(ErrorKind::usage, "{}: {}: expected a truth value, a number, a text or a list of texts", where, key);
    }
    return texts;
  }

  Configuration& target_;
  std::span<const Setting> list_;
  fs::path file_;
};

// A variable that is nearly the name of a setting is a slip that could leave the server open; others are not ours.
void check_environment(const std::map<std::string, std::string>& environment, std::span<const Setting> list) {
  std::vector<std::string> names;
  for (const auto& setting : list) names.push_back(setting.environment());
  const std::vector<std::string_view> known(names.begin(), names.end());
  for (const auto& [name, value] : environment) {
    if (std::ranges::find(other_variables, name) != std::end(other_variables)) continue;
    if (std::ranges::find(known, name) != known.end()) continue;
    if (const auto meant = suggestion(name, known); !meant.empty()) {
      fail(ErrorKind::usage, "unknown environment variable {}{}", quote(name), meant);
    }
  }
}

boost::json::value json_value(const Setting& setting) {
  return std::visit([](const auto* value) { return boost::json::value_from(*value); }, setting.target);
}

void apply_environment(Configuration& target, const Setting& setting, const ConfigSources& sources) {
  const auto name = setting.environment();
  const auto found = sources.environment.find(name);
  if (found == sources.environment.end()) return;
  server::set_text(setting, found->second, name);
  target.origins[std::string(setting.key)] = "environment " + name;
}

void apply_flag(Configuration& target, const Setting& setting, const ConfigSources& sources) {
  const auto found = sources.flags.find(std::string(setting.key));
  if (found == sources.flags.end()) return;
  const auto own = sources.flag_names.find(found->first);
  const std::string name = own == sources.flag_names.end() ? setting.flag() : own->second;
  server::set_text(setting, found->second, name);
  target.origins[std::string(setting.key)] = "flag " + name;
}

bool is_file(const fs::path& file) {
  std::error_code none;
  return fs::is_regular_file(file, none);
}

// The file named by hand, or the system's, then the data folder's. Where the data folder is may be said by all layers
// but its own file.
void apply_files(Configuration& target, std::span<const Setting> list, const ConfigSources& sources) {
  auto named = sources.file;
  const auto variable = sources.environment.find(std::string(config_variable));
  if (!named && variable != sources.environment.end()) named = variable->second;
  if (named || is_file(sources.system_file)) TomlReader(target, list, named.value_or(sources.system_file)).read();
  if (named) return;
  const auto& data = *find_key(list, data_key);
  apply_environment(target, data, sources);
  apply_flag(target, data, sources);
  const auto folder = target.settings.storage.data;
  const auto file = fs::path(folder) / "wajah.toml";
  if (!is_file(file)) return;
  TomlReader(target, list, file).read();
  if (target.settings.storage.data != folder) {
    fail(ErrorKind::usage,
         "{}: {} cannot be set by the data folder's own file; use --data, or another file with "
         "--config",
         target.origins.at(std::string(data_key)), data_key);
  }
}

}  // namespace

Configuration load_configuration(const ConfigSources& sources) {
  Configuration result;
  const auto list = server::list_of(result.settings);
  check_environment(sources.environment, list);
  apply_files(result, list, sources);
  for (const auto& setting : list) apply_environment(result, setting, sources);
  for (const auto& setting : list) apply_flag(result, setting, sources);
  return result;
}

std::map<std::string, std::string> wajah_environment() {
  std::map<std::string, std::string> result;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view line(*entry);
    const auto equals = line.find('=');
    if (line.starts_with("WAJAH_") && equals != std::string_view::npos) {
      result.emplace(line.substr(0, equals), line.substr(equals + 1));
    }
  }
  return result;
}

void add_setting_flags(OptionSet& set, ConfigSources& sources) {
  const auto take_file = [&sources](const std::string& text) { sources.file = text; };
  set.add_text("config", take_file, "FILE",
               "wajah.toml; without it /etc/wajah/wajah.toml and wajah.toml in the data folder", false);
  server::Settings defaults;
  for (const auto& setting : server::list_of(defaults)) {
    const bool is_truth = std::holds_alternative<bool*>(setting.target);
    const auto take = [&sources, key = std::string(setting.key)](const std::string& text) {
      sources.flags[key] = text;
    };
    set.add_text(setting.flag().substr(2), take, std::string(is_truth ? "true|false" : setting.metavar),
                 fmt::format("{} [{}]", setting.about, setting.value()), is_truth);
  }
}

boost::json::array configuration_json(Configuration& configuration) {
  boost::json::array list;
  for (const auto& setting : server::list_of(configuration.settings)) {
    const auto found = configuration.origins.find(std::string(setting.key));
    const std::string_view origin = found == configuration.origins.end() ? "default" : std::string_view(found->second);
    list.push_back(boost::json::object{{"key", setting.key}, {"value", json_value(setting)}, {"origin", origin}});
  }
  return list;
}

std::string configuration_text(Configuration& configuration) {
  std::string text;
  for (const auto& file : configuration.files) text += fmt::format("# read: {}\n", file.string());
  for (const auto& setting : server::list_of(configuration.settings)) {
    const auto found = configuration.origins.find(std::string(setting.key));
    const auto line = fmt::format("{} = {}", setting.key, setting.value());
    text += fmt::format("{:<48} # {}\n", line, found == configuration.origins.end() ? "default" : found->second);
  }
  return text;
}

CommonOptions common_options_of(const server::Settings& settings) {
  CommonOptions common;
  common.device = settings.engine.device;
  common.threads = static_cast<int>(settings.engine.threads);
  common.precision = settings.engine.precision;
  common.gpu_memory_fraction = settings.engine.gpu_memory_fraction;
  common.weights = settings.pipeline.weights;
  common.mtcnn = settings.pipeline.mtcnn;
  common.mirror = settings.pipeline.mirror;
  common.data = settings.storage.data;
  common.storage_key_file = settings.storage.key_file;
  return common;
}

}  // namespace wajah::cli
