// wajah models: which weights there are and are used, what a file holds, and getting the public ones.
#include "cli/commands.hpp"
#include "cli/fetch.hpp"
#include "cli/json_text.hpp"
#include "cli/models_quantise.hpp"
#include "cli/models_use.hpp"
#include "cli/options.hpp"
#include "cli/public_models.hpp"
#include "cli/verbs.hpp"
#include "cli/weight_files.hpp"

#include <wajah/convert/open.hpp>
#include <wajah/error.hpp>
#include <wajah/text.hpp>
#include <wajah/weights.hpp>

#include <boost/json.hpp>

#include <array>
#include <filesystem>
#include <optional>

namespace wajah::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// models list

void print_in_use(std::string_view role, const std::optional<fs::path>& file, bool as_json) {
  if (as_json) {
    print_json(json::object{{"role", role}, {"file", file ? json::value(file->string()) : json::value(nullptr)}});
  } else {
    fmt::print("{:<9} {}\n", role, file ? file->string() : "none");
  }
}

int list(Arguments arguments) {
  CommonOptions common;
  OptionSet set("models list [options]", "Lists the public models, and which files are used without further options.");
  set.common(common, {.mtcnn = true, .weights = true, .data = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  for (const PublicModel& model : public_models()) {
    std::error_code none;
    const bool here = fs::exists(models_folder(common) / model.output, none);
    if (common.json) {
      print_json(json::object{{"name", model.name},
                              {"role", name_of(model.role)},
                              {"about", model.about},
                              {"licence", model.licence},
                              {"here", here}});
    } else {
      fmt::print("{:<17} {:<55} {:<33} {}\n", model.name, model.about, model.licence, here ? "here" : "not fetched");
    }
  }
  print_in_use("detector", look_for_mtcnn(common), common.json);
  print_in_use("embedder", look_for_embedder(common), common.json);
  return exit_yes;
}

// models info

struct Totals {
  std::size_t tensors = 0, numbers = 0, bytes = 0;
};

Weights open_any(const std::string& file) {
  std::error_code none;
  if (fs::is_directory(file, none)) return open_mtcnn(file);
  return fs::path(file).extension() == ".safetensors" ? read_safetensors(file) : open_embedder(file);
}

Totals totals_of(const Weights& weights) {
  Totals totals;
  for (const std::string& name : weights.names()) {
    const Tensor& tensor = weights.raw(name);
    ++totals.tensors;
    totals.numbers += tensor.size();
    totals.bytes += tensor.bytes.size();
  }
  return totals;
}

void print_as_json(const Weights& weights, const std::string& file, bool tensors) {
  const Totals totals = totals_of(weights);
  json::object metadata;
  for (const auto& [key, value] : weights.metadata()) metadata[key] = value;
  json::object info{{"file", file},
                    {"fingerprint", fmt::format("{:016x}", fingerprint(weights))},
                    {"tensors", totals.tensors},
                    {"numbers", totals.numbers},
                    {"bytes", totals.bytes},
                    {"metadata", std::move(metadata)}};
  if (tensors) {
    json::object shapes;
    for (const std::string& name : weights.names()) {
      const Tensor& tensor = weights.raw(name);
      shapes[name] = json::object{{"type", name_of(tensor.type)},
                                  {"shape", json::array(tensor.shape.begin(), tensor.shape.end())}};
    }
    info["names"] = std::move(shapes);
  }
  print_json(info);
}

void print_as_text(const Weights& weights, const std::string& file, bool tensors) {
  const Totals totals = totals_of(weights);
  fmt::print("{}\n  {} tensors, {} numbers, {} bytes, fingerprint {:016x}\n", file, totals.tensors, totals.numbers,
             totals.bytes, fingerprint(weights));
  for (const auto& [key, value] : weights.metadata()) fmt::print("  {}: {}\n", quote(key), quote(value));
  if (!tensors) return;
  for (const std::string& name : weights.names()) {
    const Tensor& tensor = weights.raw(name);
    fmt::print("  {} {} {}\n", quote(name), name_of(tensor.type), shape_text(tensor.shape));
  }
}

int info(Arguments arguments) {
  CommonOptions common;
  bool tensors = false;
  std::vector<std::string> files;
  OptionSet set("models info [--tensors] FILE", "Tells what a file of weights holds, in any format wajah reads.");
  set.add("tensors", tensors, "also every tensor's name, type and shape");
  set.operands(files, "FILE", 1, 1);
  set.common(common, {.json = true});
  if (!set.parse(arguments)) return exit_yes;
  const Weights weights = open_any(files[0]);
  if (common.json) {
    print_as_json(weights, files[0], tensors);
  } else {
    print_as_text(weights, files[0], tensors);
  }
  return exit_yes;
}

// models fetch

int fetch_models(Arguments arguments) {
  CommonOptions common;
  std::vector<std::string> names;
  OptionSet set("models fetch [options] [NAME...]",
                "Downloads public weights, verifies their hashes and converts them into DIR/models. Without a name: "
                "mtcnn and facenet-vggface2. They are used from 'wajah models use NAME' on.");
  set.operands(names, "NAME", 0, std::size_t(-1));
  set.common(common, {.data = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  if (names.empty()) names = {"mtcnn", "facenet-vggface2"};
  std::vector<const PublicModel*> wanted;
  for (const std::string& name : names) wanted.push_back(&find_public_model(name));
  for (const PublicModel* model : wanted) {
    const Fetched fetched = fetch(*model, models_folder(common));
    if (common.json) {
      print_json(
          json::object{{"name", model->name}, {"file", fetched.file.string()}, {"downloaded", fetched.downloaded}});
    } else {
      fmt::print("{}: {} ({})\n", model->name, fetched.file.string(), fetched.downloaded ? "fetched" : "already there");
    }
  }
  return exit_yes;
}

int run(Arguments arguments) {
  static constexpr std::array verbs{Command{"list", "the public models and the files in use", list},
                                    Command{"info", "what a file of weights holds", info},
                                    Command{"fetch", "downloads public weights", fetch_models},
                                    Command{"use", "chooses the weights of a data folder", use_model},
                                    Command{"quantise", "measures what --precision int8 needs", quantise_model}};
  return run_verb("models", "Weights: which there are, what they hold, where to get them, which to use.", verbs,
                  arguments);
}

}  // namespace

const Command models_command{"models", "lists, describes, fetches and chooses weights", run};

}  // namespace wajah::cli
