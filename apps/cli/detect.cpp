// wajah detect: where the faces are.
#include "cli/commands.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/report.hpp"
#include "cli/weight_files.hpp"

#include <wajah/convert/open.hpp>
#include <wajah/detect/detector.hpp>
#include <wajah/detect/rotations.hpp>
#include <wajah/draw.hpp>
#include <wajah/error.hpp>
#include <wajah/image_io.hpp>

#include <boost/json.hpp>

#include <utility>

namespace wajah::cli {
namespace {

namespace json = boost::json;

struct Options {
  CommonOptions common;
  DetectorOptions detector;
  std::string thresholds = "0.6,0.7,0.7";
  std::string draw;
  bool rotations = false;
  std::vector<std::string> images;
};

struct Found {
  const std::string& image;
  int width, height;
  std::vector<Face> faces;
  double decode_ms, detect_ms;
};

void print_as_json(const Found& found) {
  json::array faces;
  for (const Face& face : found.faces) {
    faces.push_back(
        json::object{{"box", json_of(face.box)}, {"score", number(face.score)}, {"landmarks", json_of(face.points)}});
  }
  print_json(
      json::object{{"image", found.image},
                   {"width", found.width},
                   {"height", found.height},
                   {"faces", std::move(faces)},
                   {"ms", json::object{{"decode", rounded(found.decode_ms)}, {"detect", rounded(found.detect_ms)}}}});
}

void print_as_text(const Found& found) {
  fmt::print("{}: {}x{}, {} face{}, decode {:.1f} ms, detect {:.1f} ms\n", found.image, found.width, found.height,
             found.faces.size(), found.faces.size() == 1 ? "" : "s", found.decode_ms, found.detect_ms);
  for (std::size_t i = 0; i < found.faces.size(); ++i) {
    const Face& face = found.faces[i];
    fmt::print("{:4}  {:<20} score {:.3f}  eyes {:.0f},{:.0f} {:.0f},{:.0f}\n", i + 1, text_of(face.box), face.score,
               face.points[0].x, face.points[0].y, face.points[1].x, face.points[1].y);
  }
}

bool parse(Options& options, Arguments arguments) {
  OptionSet set("detect [options] IMAGE...", "Finds faces by MTCNN and prints box, score and five landmarks of each.");
  set.add("min-size", options.detector.min_size, "PIXELS", "the smallest face to look for");
  set.add("thresholds", options.thresholds, "P,R,O", "probabilities that the three networks must reach");
  set.add("factor", options.detector.factor, "F", "from one level of the pyramid to the next");
  set.add("rotations", options.rotations, "where no face is sure, look whether the picture lies on its side or head");
  set.add("draw", options.draw, "FILE", "also write the picture with boxes and points (.jpg, .png); one IMAGE only");
  set.operands(options.images, "IMAGE", 1, std::size_t(-1));
  set.common(options.common, {.device = true, .mtcnn = true, .json = true});
  if (!set.parse(arguments)) return false;
  const std::vector<double> thresholds = parse_numbers("thresholds", options.thresholds, 3);
  for (std::size_t i = 0; i < 3; ++i) options.detector.thresholds[i] = static_cast<float>(thresholds[i]);
  validate(options.detector);
  if (!options.draw.empty() && options.images.size() != 1) {
    fail(ErrorKind::usage, "--draw writes one picture, {} were given", options.images.size());
  }
  return true;
}

// Always in pixels of the upright picture, however it had to be turned to find them.
std::vector<Face> find_faces(Detector& detector, const Image& image, const Options& options) {
  if (!options.rotations) return detector.detect(image, options.detector);
  TurnedFaces found = detect_any_rotation(detector, image, options.detector);
  for (Face& face : found.faces) face = turned_back(face, found.turns, image.width, image.height);
  return std::move(found.faces);
}

int run(Arguments arguments) {
  Options options;
  if (!parse(options, arguments)) return exit_yes;
  const Devices devices = make_devices(options.common);
  Detector detector(load_detector(open_mtcnn(mtcnn_file(options.common)), devices), devices.cpu);

  return for_each_input("detect", options.images, [&](const std::string& name) {
    const Stopwatch decoding;
    Image image = read_image(name);
    const double decode_ms = decoding.milliseconds();
    const Stopwatch detecting;
    const Found found{
        name, image.width, image.height, find_faces(detector, image, options), decode_ms, detecting.milliseconds()};
    if (!options.draw.empty()) {
      draw_faces(image, found.faces);
      write_image(image, options.draw);
    }
    if (options.common.json) {
      print_as_json(found);
    } else {
      print_as_text(found);
    }
  });
}

}  // namespace

const Command detect_command{"detect", "finds the faces of pictures", run};

}  // namespace wajah::cli
