// wajah embed: faces of pictures, or crops of an array, as unit vectors.
#include "cli/commands.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/report.hpp"
#include "cli/verification.hpp"
#include "cli/weight_files.hpp"

#include <wajah/convert/npy.hpp>
#include <wajah/convert/open.hpp>
#include <wajah/detect/rotations.hpp>
#include <wajah/error.hpp>
#include <wajah/image_io.hpp>
#include <wajah/recognizer.hpp>
#include <wajah/text.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <cstring>

namespace wajah::cli {
namespace {

namespace json = boost::json;

struct Options {
  CommonOptions common;
  std::string input, output, profile;
  std::vector<std::string> images;
};

// --input X.npy: crops as they are, no detector.

std::vector<Image> images_of(const NpyArray& array, int side) {
  const Image empty(side, side);
  std::vector<Image> images(static_cast<std::size_t>(array.shape[0]), empty);
  const std::size_t bytes = empty.pixels.size();
  for (std::size_t i = 0; i < images.size(); ++i) {
    std::memcpy(images[i].pixels.data(), array.bytes.data() + i * bytes, bytes);
  }
  return images;
}

std::vector<float> embed_array(Embedder& embedder, const NpyArray& array, const std::string& name) {
  const int side = embedder.card().input;
  const bool fits = array.shape.size() == 4 && array.shape[1] == side && array.shape[2] == side && array.shape[3] == 3;
  if (!fits) {
    fail(ErrorKind::input, "{}: shape {}, {} takes [n, {}, {}, 3]", name, shape_text(array.shape),
         embedder.card().architecture, side, side);
  }
  if (array.type == DataType::u8) return embedder.embed(images_of(array, side));
  if (array.type != DataType::f32) {
    fail(ErrorKind::input, "{}: elements of type {}, expected uint8 crops or normalised float32", name,
         name_of(array.type));
  }
  const std::vector<float> values = array.values<float>();
  return embedder.embed_normalised({values.data(), {static_cast<int>(array.shape[0]), side, side, 3}});
}

int embed_file(const Options& options) {
  if (options.output.empty()) fail(ErrorKind::usage, "--input needs --output E.npy to write the embeddings to");
  if (!options.images.empty()) fail(ErrorKind::usage, "--input takes no IMAGE, {} were given", options.images.size());
  const NpyArray array = read_npy(options.input);
  const Devices devices = make_devices(options.common);
  Embedder embedder(load_embedder(open_embedder(embedder_file(options.common)), devices), devices.cpu);
  const Stopwatch watch;
  const std::vector<float> embeddings = embed_array(embedder, array, options.input);
  const double ms = watch.milliseconds();
  write_npy(options.output, {array.shape[0], embedder.card().dimension}, embeddings);
  if (options.common.json) {
    print_json(json::object{{"input", options.input},
                            {"output", options.output},
                            {"embeddings", array.shape[0]},
                            {"dimension", embedder.card().dimension},
                            {"ms", json::object{{"embed", rounded(ms)}}}});
  } else {
    fmt::print("{}: {} embeddings of {} numbers in {:.1f} ms\n", options.output, array.shape[0],
               embedder.card().dimension, ms);
  }
  return exit_yes;
}

// Pictures: every face of each.

struct Embedded {
  const std::string& image;
  std::vector<Face> faces;
  std::vector<float> embeddings;
  std::size_t dimension;
  double decode_ms, detect_ms, embed_ms;

  [[nodiscard]] std::span<const float> row(std::size_t i) const {
    return std::span(embeddings).subspan(i * dimension, dimension);
  }
};

void print_as_json(const Embedded& result) {
  json::array faces;
  for (std::size_t i = 0; i < result.faces.size(); ++i) {
    json::array embedding;
    for (const float value : result.row(i)) embedding.push_back(number(value));
    faces.push_back(json::object{{"box", json_of(result.faces[i].box)}, {"embedding", std::move(embedding)}});
  }
  print_json(json::object{{"image", result.image},
                          {"faces", std::move(faces)},
                          {"ms", json::object{{"decode", rounded(result.decode_ms)},
                                              {"detect", rounded(result.detect_ms)},
                                              {"embed", rounded(result.embed_ms)}}}});
}

void print_as_text(const Embedded& result) {
  fmt::print("{}: {} face{}, decode {:.1f} ms, detect {:.1f} ms, embed {:.1f} ms\n", result.image, result.faces.size(),
             result.faces.size() == 1 ? "" : "s", result.decode_ms, result.detect_ms, result.embed_ms);
  for (std::size_t i = 0; i < result.faces.size(); ++i) {
    const auto first = result.row(i).first(std::min<std::size_t>(4, result.dimension));
    fmt::print("{:4}  {:<20} {:.4f} ... ({} numbers, all with --json)\n", i + 1, text_of(result.faces[i].box),
               fmt::join(first, " "), result.dimension);
  }
}

Crop crop_of(std::string_view profile, const ModelCard& card) {
  if (profile.empty()) return card.crop;
  if (profile == "original") return original_crop();
  if (profile == "aligned") {
    return card.crop.profile == CropProfile::aligned ? card.crop : aligned_crop(card.input);
  }
  fail(ErrorKind::usage, "--profile {}: expected original or aligned", quote(profile));
}

Embedded embed_image(Recognizer& recognizer, const Crop& crop, const std::string& name) {
  const Stopwatch decoding;
  const Image image = read_image(name);
  const double decode_ms = decoding.milliseconds();
  const Stopwatch detecting;
  UprightFaces found = find_upright(recognizer, image, recognise_options);
  const double detect_ms = detecting.milliseconds();
  const Stopwatch embedding;
  std::vector<float> embeddings = recognizer.embed(found.of(image), found.faces, crop);
  const double embed_ms = embedding.milliseconds();
  for (Face& face : found.faces) face = turned_back(face, found.turns, image.width, image.height);
  const auto dimension = static_cast<std::size_t>(recognizer.card().dimension);
  return {name, std::move(found.faces), std::move(embeddings), dimension, decode_ms, detect_ms, embed_ms};
}

int embed_images(const Options& options) {
  if (options.images.empty()) fail(ErrorKind::usage, "no IMAGE and no --input given");
  if (!options.output.empty()) fail(ErrorKind::usage, "--output belongs to --input; pictures' embeddings are printed");
  const Devices devices = make_devices(options.common);
  Recognizer recognizer(load_models(options.common, devices), devices.cpu);
  const Crop crop = crop_of(options.profile, recognizer.card());
  return for_each_input("embed", options.images, [&](const std::string& name) {
    const Embedded result = embed_image(recognizer, crop, name);
    if (options.common.json) {
      print_as_json(result);
    } else {
      print_as_text(result);
    }
  });
}

int run(Arguments arguments) {
  Options options;
  options.common.mirror = name_of(Mirror::never);
  OptionSet set(
      "embed [options] IMAGE... | embed --input X.npy --output E.npy",
      "Turns every face of the pictures, or every crop of an array, into an embedding of length 1. Pictures that "
      "lie on their side or head are turned for it; boxes are in pixels of the picture as it is.");
  set.add("input", options.input, "X.npy", "crops (n, 160, 160, 3): uint8, or float32 as the network wants them");
  set.add("output", options.output, "E.npy", "where the embeddings of --input go, float32 (n, 512)");
  set.add("profile", options.profile, "original|aligned", "how faces are cut out; the default belongs to the weights");
  set.operands(options.images, "IMAGE", 0, std::size_t(-1));
  set.common(options.common, {.device = true, .mtcnn = true, .weights = true, .mirror = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  return options.input.empty() ? embed_images(options) : embed_file(options);
}

}  // namespace

const Command embed_command{"embed", "turns faces into embeddings", run};

}  // namespace wajah::cli
