#include "cli/models_quantise.hpp"

#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/report.hpp"
#include "cli/weight_files.hpp"

#include <wajah/convert/open.hpp>
#include <wajah/embed/int8_calibration.hpp>
#include <wajah/error.hpp>
#include <wajah/image_io.hpp>
#include <wajah/recognizer.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <vector>

namespace wajah::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

struct Options {
  CommonOptions common;
  std::string photos, output;
  std::size_t count = 300;
};

// Up to `count` photos, evenly spaced over all of the folder in order of their names: of as many people as there are.
std::vector<fs::path> choose_photos(const fs::path& folder, std::size_t count) {
  std::vector<fs::path> all;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && is_photo_name(entry.path())) all.push_back(entry.path());
  }
  std::ranges::sort(all);
  if (all.size() <= count) return all;
  std::vector<fs::path> chosen;
  for (std::size_t i = 0; i < count; ++i) chosen.push_back(all[i * all.size() / count]);
  return chosen;
}

std::optional<Image> crop_of(const fs::path& photo, Detector& detector, const Crop& crop) try {
  const Image image = read_image(photo);
  const std::vector<Face> faces = detector.detect(image, enrol_options);
  const auto chosen = central_face(faces, image.width, image.height);
  if (!chosen) return std::nullopt;
  return make_crop(image, faces[*chosen], crop, CropUse::recognise);
} catch (const Error& error) {
  if (error.kind() != ErrorKind::input) throw;
  return std::nullopt;  // a photo more or less does not matter, and there may be other files
}

std::vector<Image> crops_of(const std::vector<fs::path>& photos, const Crop& crop, const Options& options,
                            const Cpu& cpu) {
  Detector detector(load_detector(open_mtcnn(mtcnn_file(options.common)), cpu), cpu);
  Progress progress("finding faces", photos.size());
  std::vector<Image> crops;
  for (std::size_t i = 0; i < photos.size(); ++i) {
    if (auto found = crop_of(photos[i], detector, crop)) crops.push_back(*std::move(found));
    progress.show(i + 1);
  }
  return crops;
}

void print(const Options& options, std::size_t crops, const Int8Calibration& calibration) {
  if (options.common.json) {
    json::object tried;
    for (const Likeness& likeness : calibration.tried) {
      tried[likeness.method] = json::object{{"mean", rounded(likeness.mean, 6)}, {"least", rounded(likeness.least, 6)}};
    }
    return print_json(json::object{{"output", options.output},
                                   {"faces", crops},
                                   {"method", calibration.chosen.method},
                                   {"mean", rounded(calibration.chosen.mean, 6)},
                                   {"least", rounded(calibration.chosen.least, 6)},
                                   {"tried", std::move(tried)}});
  }
  fmt::print("ranges of {} faces; cosine of embeddings in int8 to those in fp32, on average and at least:\n", crops);
  for (const Likeness& likeness : calibration.tried) {
    fmt::print("  {:<12} {:.5f} {:.5f}{}\n", likeness.method, likeness.mean, likeness.least,
               likeness.method == calibration.chosen.method ? "  chosen" : "");
  }
  fmt::print("{}: written; --precision int8 can be used with it\n", options.output);
}

}  // namespace

int quantise_model(Arguments arguments) {
  Options options;
  OptionSet set("models quantise --photos DIR --output FILE [options]",
                "Measures on photos of faces which values the maps of an embedder take, which --precision int8 needs to "
                "know, and writes the weights with that. The weights themselves, and so the model's id, stay the same.");
  set.add("photos", options.photos, "DIR", "photos of faces, also in folders below; of many people is best");
  set.add("count", options.count, "N", "how many of the photos to use");
  set.add("output", options.output, "FILE", ".safetensors to write; may be the one that is read");
  set.common(options.common, {.device = true, .mtcnn = true, .weights = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  if (options.photos.empty()) fail(ErrorKind::usage, "--photos DIR is missing: faces to measure on");
  if (options.output.empty()) fail(ErrorKind::usage, "--output FILE is missing: where the weights go");
  if (!fs::is_directory(options.photos)) fail(ErrorKind::input, "{}: no folder of photos", options.photos);

  const Cpu cpu = make_device(options.common);
  const Weights weights = open_embedder(embedder_file(options.common));
  const std::vector<Image> crops =
      crops_of(choose_photos(options.photos, options.count), card_of(weights).crop, options, cpu);
  const Int8Calibration calibration = calibrate_int8(weights, crops, cpu);
  write_safetensors(calibration.weights, options.output);
  print(options, crops.size(), calibration);
  return exit_yes;
}

}  // namespace wajah::cli
