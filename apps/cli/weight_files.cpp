#include "cli/weight_files.hpp"

#include <wajah/error.hpp>

#include <system_error>

namespace wajah::cli {

namespace fs = std::filesystem;

namespace {

std::optional<fs::path> look_for(const std::string& given, std::string_view name, const CommonOptions& options) {
  if (!given.empty()) return fs::path(given);
  for (const fs::path& folder : weight_folders(options)) {
    std::error_code none;
    if (fs::path file = folder / name; fs::is_regular_file(file, none)) return file;
  }
  return std::nullopt;
}

fs::path require(std::optional<fs::path> file, std::string_view what, std::string_view name, std::string_view option) {
  if (file) return *std::move(file);
  fail(ErrorKind::model, "no weights for the {} ({} not found): 'wajah models fetch' gets them, or --{} names a file",
       what, name, option);
}

}  // namespace

std::vector<fs::path> weight_folders(const CommonOptions& options) {
  std::vector<fs::path> folders{fs::path(options.data) / "models"};
  std::error_code none;
  if (const fs::path program = fs::read_symlink("/proc/self/exe", none); !program.empty()) {
    folders.push_back(program.parent_path().parent_path() / "share" / "wajah" / "weights");
  }
  folders.emplace_back(WAJAH_SOURCE_WEIGHTS);
  return folders;
}

std::optional<fs::path> look_for_mtcnn(const CommonOptions& options) {
  return look_for(options.mtcnn, mtcnn_file_name, options);
}

std::optional<fs::path> look_for_embedder(const CommonOptions& options) {
  return look_for(options.weights, embedder_file_name, options);
}

fs::path mtcnn_file(const CommonOptions& options) {
  return require(look_for_mtcnn(options), "detector", mtcnn_file_name, "mtcnn");
}

fs::path embedder_file(const CommonOptions& options) {
  return require(look_for_embedder(options), "embedder", embedder_file_name, "weights");
}

std::shared_ptr<const Models> load_models(const CommonOptions& options, const Cpu& cpu) {
  const fs::path mtcnn = mtcnn_file(options);
  return wajah::load_models(mtcnn, embedder_file(options), cpu);
}

}  // namespace wajah::cli
