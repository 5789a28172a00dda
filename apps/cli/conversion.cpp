#include "cli/conversion.hpp"

#include <wajah/convert/mtcnn.hpp>
#include <wajah/convert/open.hpp>
#include <wajah/detect/detector.hpp>
#include <wajah/embed/embedder.hpp>

namespace wajah::cli {

Weights convert_detector(std::span<const std::filesystem::path> files) {
  Weights weights = files.size() == 3 ? convert_mtcnn(files[0], files[1], files[2]) : open_mtcnn(files[0]);
  (void)load_detector(weights, Cpu(1));
  return weights;
}

Weights convert_embedder(const std::filesystem::path& file) {
  Weights weights = open_embedder(file);
  (void)load_embedder(weights, Cpu(1));
  return weights;
}

}  // namespace wajah::cli
