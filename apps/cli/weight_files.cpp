#include "cli/weight_files.hpp"

#include "cli/model_choice.hpp"
#include "cli/public_models.hpp"
#include "server/model_card.hpp"

#include <wajah/convert/open.hpp>
#include <wajah/error.hpp>

#include <system_error>

namespace wajah::cli {

namespace fs = std::filesystem;

namespace {

bool is_file(const fs::path& file) {
  std::error_code none;
  return fs::is_regular_file(file, none);
}

fs::path chosen_file(const std::string& chosen, const fs::path& models) {
  const PublicModel* model = public_model_or_null(chosen);
  const fs::path file = model ? models / model->output : fs::path(chosen);
  std::error_code none;
  if (fs::exists(file, none)) return file;
  fail(ErrorKind::model,
       "{} was chosen for this data folder, but {} is not there: '{}', or 'wajah models use built-in'", chosen,
       file.string(), model ? fmt::format("wajah models fetch {}", chosen) : "wajah models use FILE");
}

std::optional<fs::path> look_for(ModelRole role, std::string_view built_in, const CommonOptions& options) {
  const fs::path models = models_folder(options);
  const ModelChoice choice = read_model_choice(models);
  if (const auto& chosen = role == ModelRole::detector ? choice.detector : choice.embedder) {
    return chosen_file(*chosen, models);
  }
  for (const fs::path& folder : built_in_folders()) {
    if (fs::path file = folder / built_in; is_file(file)) return file;
  }
  for (const PublicModel& model : public_models()) {
    if (fs::path file = models / model.output; model.role == role && is_file(file)) return file;
  }
  return std::nullopt;
}

fs::path require(std::optional<fs::path> file, std::string_view what, std::string_view name, std::string_view option) {
  if (file) return *std::move(file);
  fail(ErrorKind::model, "no weights for the {} ({} not found): 'wajah models fetch' gets them, or --{} names a file",
       what, name, option);
}

}  // namespace

fs::path models_folder(const CommonOptions& options) { return fs::path(options.data) / "models"; }

std::vector<fs::path> built_in_folders() {
  std::vector<fs::path> folders;
  std::error_code none;
  if (const fs::path program = fs::read_symlink("/proc/self/exe", none); !program.empty()) {
    folders.push_back(program.parent_path().parent_path() / "share" / "wajah" / "weights");
  }
  folders.emplace_back(WAJAH_SOURCE_WEIGHTS);
  return folders;
}

std::optional<fs::path> look_for_mtcnn(const CommonOptions& options) {
  if (!options.mtcnn.empty()) return fs::path(options.mtcnn);
  return look_for(ModelRole::detector, mtcnn_file_name, options);
}

std::optional<fs::path> look_for_embedder(const CommonOptions& options) {
  if (!options.weights.empty()) return fs::path(options.weights);
  return look_for(ModelRole::embedder, embedder_file_name, options);
}

fs::path mtcnn_file(const CommonOptions& options) {
  return require(look_for_mtcnn(options), "detector", mtcnn_file_name, "mtcnn");
}

fs::path embedder_file(const CommonOptions& options) {
  return require(look_for_embedder(options), "embedder", embedder_file_name, "weights");
}

std::shared_ptr<const Models> load_models(const CommonOptions& options, const Devices& devices) {
  const std::optional<Mirror> mirror = mirror_of(options);
  const fs::path mtcnn = mtcnn_file(options);
  const Weights weights = server::open_embedder(embedder_file(options), mirror);
  return std::make_shared<const Models>(
      Models{load_detector(open_mtcnn(mtcnn), devices), load_embedder(weights, devices)});
}

std::shared_ptr<const DetectorModel> load_detector(const Weights& weights, const Devices& devices) {
  return devices.cuda ? wajah::load_detector(weights, *devices.cuda) : wajah::load_detector(weights, devices.cpu);
}

std::shared_ptr<const EmbedderModel> load_embedder(const Weights& weights, const Devices& devices) {
  return devices.cuda ? wajah::load_embedder(weights, *devices.cuda)
                      : wajah::load_embedder(weights, devices.cpu, devices.precision);
}

}  // namespace wajah::cli
