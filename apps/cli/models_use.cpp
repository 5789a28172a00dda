#include "cli/models_use.hpp"

#include "attendance/text.hpp"
#include "cli/attendance.hpp"
#include "cli/conversion.hpp"
#include "cli/folder_settings.hpp"
#include "cli/json_text.hpp"
#include "cli/model_choice.hpp"
#include "cli/options.hpp"
#include "cli/public_models.hpp"
#include "cli/report.hpp"
#include "cli/weight_files.hpp"
#include "server/model_card.hpp"

#include <wajah/embed/embedder.hpp>
#include <wajah/error.hpp>
#include <wajah/text.hpp>

#include <boost/json.hpp>

#include <array>
#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>

namespace wajah::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::string_view built_in = "built-in";

void require_built_in() {
  for (const std::string_view name : {mtcnn_file_name, embedder_file_name}) {
    bool found = false;
    for (const fs::path& folder : built_in_folders()) {
      std::error_code none;
      found = found || fs::is_regular_file(folder / name, none);
    }
    if (!found) fail(ErrorKind::model, "this installation has no built-in weights ({} not found)", name);
  }
}

bool is_detector(const fs::path& file) {
  std::error_code none;
  if (fs::is_directory(file, none)) return true;
  if (file.extension() != ".safetensors") return false;
  const Weights weights = read_safetensors(file);
  return weights.has("pnet/conv1/weights");
}

// Loads it as the server would, with its card, so that nobody finds out at the door that it is no model.
ModelRole role_of(const fs::path& file) {
  if (!is_detector(file)) {
    (void)load_embedder(server::open_embedder(file), Cpu(1));
    return ModelRole::embedder;
  }
  const std::array files{file};
  (void)convert_detector(files);
  return ModelRole::detector;
}

// What NAME asks for: the choice with it, and the role whose file it is; nothing: both.
struct Change {
  ModelChoice choice;
  std::optional<ModelRole> role;
};

Change with_role(ModelChoice choice, ModelRole role, std::string value) {
  (role == ModelRole::detector ? choice.detector : choice.embedder) = std::move(value);
  return {std::move(choice), role};
}

Change changed(ModelChoice choice, const std::string& name, const fs::path& models) {
  std::error_code none;
  if (name == built_in) {
    require_built_in();
    return {};
  }
  if (const PublicModel* model = public_model_or_null(name)) {
    if (!fs::exists(models / model->output, none)) {
      fail(ErrorKind::model, "{} is not here yet: 'wajah models fetch {}' gets it", name, name);
    }
    return with_role(std::move(choice), role_of(models / model->output), name);
  }
  if (!fs::exists(name, none)) {
    fail(ErrorKind::usage, "{} is neither {}, a file, nor a public model; 'wajah models list' shows those", quote(name),
         built_in);
  }
  return with_role(std::move(choice), role_of(name), fs::absolute(name).lexically_normal().string());
}

// A file that cannot be understood is what this command is the cure for.
ModelChoice former_choice(const fs::path& models, std::string& fault) {
  try {
    return read_model_choice(models);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::model) throw;
    fault = error.what();
    return {};
  }
}

// Gives what was asked for once it is written.
Change choose(const std::string& name, const fs::path& models) {
  std::string fault;
  Change change = changed(former_choice(models, fault), name, models);
  write_model_choice(change.choice, models);
  if (!fault.empty()) {
    fmt::print(stderr, "wajah models: {}, which is done now; what was chosen in it is forgotten\n", fault);
  }
  return change;
}

void print_in_use(const CommonOptions& common) {
  const auto detector = look_for_mtcnn(common), embedder = look_for_embedder(common);
  if (common.json) {
    const auto shown = [](const auto& file) { return file ? json::value(file->string()) : json::value(nullptr); };
    print_json(json::object{{"detector", shown(detector)}, {"embedder", shown(embedder)}});
    return;
  }
  fmt::print("detector  {}\nembedder  {}\n", detector ? detector->string() : "none",
             embedder ? embedder->string() : "none");
}

void print_waiting(const std::vector<attendance::WaitingPerson>& waiting, bool as_json) {
  if (!as_json && !waiting.empty()) fmt::print("These people need new photos before they are recognised again:\n");
  for (const auto& [person, pictures] : waiting) {
    if (as_json) {
      print_json(json::object{{"nik", person.nik}, {"name", person.name}, {"needs_photos", true}});
    } else {
      fmt::print("  {:<20} {}\n", person.nik, attendance::escape(person.name));
    }
  }
}

// Kept pictures become embeddings of the new model here and now.
void embed_again(const CommonOptions& common) {
  Attendance attendance(common, attendance::Purpose::enrol, folder_settings(common));
  attendance::Service& service = attendance.service();
  {
    Progress progress("embedding kept photos", service.reembedding().total);
    for (auto now = service.reembedding(); now.running; now = service.reembedding()) {
      progress.show(now.done);
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    progress.show(service.reembedding().done);
  }
  const auto last = service.reembedding();
  if (!common.json && last.total > 0) {
    fmt::print("{} of {} kept photos embedded again\n", last.done - last.failed, last.total);
  }
  print_waiting(service.waiting(), common.json);
}

bool has_database(const CommonOptions& common) {
  std::error_code none;
  return fs::exists(fs::path(common.data) / "wajah.db", none);
}

}  // namespace

int use_model(Arguments arguments) {
  CommonOptions common;
  bool later = false;
  std::vector<std::string> names;
  OptionSet set(
      "models use [options] NAME",
      "Chooses the weights that a data folder is used with: a fetched model by its name, any file of weights, "
      "or 'built-in'. Photos that were kept are embedded again at once; whose were not is told. Where that cannot be "
      "done or is interrupted, the same command goes on: exit 3 if the data folder is in use or sealed.");
  set.add("later", later, "leave embedding again to the next start of the server");
  set.operands(names, "NAME", 1, 1);
  set.common(common, {.device = true, .mtcnn = true, .data = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;

  const Change change = choose(names[0], models_folder(common));
  try {
    print_in_use(common);
    // An earlier call may have been interrupted: what waits in the data folder decides, not whether the choice changed.
    if (!later && change.role != ModelRole::detector && has_database(common)) embed_again(common);
  } catch (const Error& error) {
    fail(error.kind(),
         "the choice is written, but {}; kept photos are embedded again by the same command once this is mended, or at "
         "the next start of the server",
         error.what());
  }
  return exit_yes;
}

}  // namespace wajah::cli
