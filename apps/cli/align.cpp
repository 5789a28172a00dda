// wajah align: the original service's preprocessing step, for those whose programs read aligned_img: the face of each
// photo of a train_img tree, cut out and scaled as the original's training wanted it.
#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/report.hpp"
#include "cli/weight_files.hpp"

#include <wajah/convert/open.hpp>
#include <wajah/detect/detector.hpp>
#include <wajah/embed/crop.hpp>
#include <wajah/error.hpp>
#include <wajah/file.hpp>
#include <wajah/image_io.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <vector>

namespace wajah::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  CommonOptions common;
  std::string tree, output;
};

bool is_photo(const fs::path& file) {
  auto ending = file.extension().string();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

// train_img/<nik>/<nama>/<file>; links are never followed.
std::vector<fs::path> photos_below(const fs::path& folder) {
  std::error_code error;
  fs::recursive_directory_iterator entries(folder, error);
  if (error) fail(ErrorKind::input, "{}: {}", folder.string(), error.message());
  std::vector<fs::path> photos;
  for (; entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    if (error) fail(ErrorKind::input, "{}: {}", folder.string(), error.message());
    if (entries->symlink_status().type() == fs::file_type::regular && entries.depth() == 2 &&
        is_photo(entries->path())) {
      photos.push_back(entries->path());
    }
  }
  std::ranges::sort(photos);
  return photos;
}

// The first number that is free.
fs::path list_file(const fs::path& folder) {
  for (int number = 0;; ++number) {
    const auto file = folder / fmt::format("bounding_boxes_{:05}.txt", number);
    if (!fs::exists(file)) return file;
  }
}

class Aligner {
 public:
  Aligner(Detector& detector, fs::path train, fs::path aligned)
      : detector_(detector), train_(std::move(train)), aligned_(std::move(aligned)) {}

  void align(const fs::path& photo) {
    ++total_;
    const auto place = (aligned_ / fs::relative(photo, train_)).replace_extension(".png");
    list_ += place.string();
    try {
      fmt::print("Processing image: {}\n", photo.string());
      const Image image = read_image(photo);
      const auto faces = detector_.detect(image, enrol_options);
      fmt::print("Number of Detected Faces: {}\n", faces.size());
      if (const auto face = central_face(faces, image.width, image.height)) write(image, faces[*face], place);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input) throw;
      fmt::print(stderr, "wajah align: {}\n", error.what());
    }
    list_ += "\n";
  }

  void finish() const {
    const auto bytes = std::as_bytes(std::span(list_));
    write_file(list_file(aligned_), std::span(&bytes, 1));
    fmt::print("Total number of images: {}\nNumber of successfully aligned images: {}\n", total_, done_);
  }

  [[nodiscard]] bool any() const { return done_ > 0; }

 private:
  void write(const Image& image, const Face& face, const fs::path& place) {
    constexpr double grow = 22;  // pixels on each side, as the crop has it
    fs::create_directories(place.parent_path());
    write_image(make_crop(image, face, original_crop(), CropUse::enrol), place);
    const auto pixel = [](double value, int most) { return static_cast<int>(std::clamp(value, 0.0, double(most))); };
    list_ +=
        fmt::format(" {} {} {} {}", pixel(face.box.x1 - grow, image.width), pixel(face.box.y1 - grow, image.height),
                    pixel(face.box.x2 + grow, image.width), pixel(face.box.y2 + grow, image.height));
    ++done_;
  }

  Detector& detector_;
  fs::path train_, aligned_;
  std::string list_;
  int total_ = 0, done_ = 0;
};

int run(Arguments arguments) {
  Options options;
  OptionSet set("align --original-tree DIR [options]",
                "Cuts the face out of each photo of DIR/train_img/<nik>/<nama>/ into DIR/aligned_img, 182 pixels "
                "square, as the original service's data_preprocess.py did. The server needs none of it.");
  set.add("original-tree", options.tree, "DIR", "the folder the original service ran in");
  set.add("output", options.output, "DIR", "instead of DIR/aligned_img");
  set.common(options.common, {.device = true, .mtcnn = true});
  if (!set.parse(arguments)) return exit_yes;
  if (options.tree.empty()) fail(ErrorKind::usage, "--original-tree DIR is missing: the folder that train_img is in");
  const fs::path train = fs::path(options.tree) / "train_img";
  const fs::path aligned = options.output.empty() ? fs::path(options.tree) / "aligned_img" : fs::path(options.output);
  const auto photos = photos_below(train);
  const Devices devices = make_devices(options.common);
  Detector detector(load_detector(open_mtcnn(mtcnn_file(options.common)), devices), devices.cpu);
  fs::create_directories(aligned);
  Aligner aligner(detector, train, aligned);
  for (const fs::path& photo : photos) aligner.align(photo);
  aligner.finish();
  return aligner.any() || photos.empty() ? exit_yes : exit_no;
}

}  // namespace

const Command align_command{"align", "cuts out faces as the original's preprocessing did", run};

}  // namespace wajah::cli
