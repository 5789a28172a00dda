// wajah bench recognise: from a photo's bytes to a name, stage by stage.
#include "cli/bench_verbs.hpp"
#include "cli/devices.hpp"
#include "cli/invented_people.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/report.hpp"
#include "cli/timing.hpp"
#include "cli/weight_files.hpp"

#include <wajah/detect/detector.hpp>
#include <wajah/error.hpp>
#include <wajah/file.hpp>
#include <wajah/image_io.hpp>
#include <wajah/recognizer.hpp>

#include <boost/json.hpp>

#include <memory>
#include <string>
#include <vector>

namespace wajah::cli {
namespace {

namespace json = boost::json;

struct Options {
  CommonOptions common;
  std::size_t people = 100, photos = 5;
  double seconds = 2;
};

std::shared_ptr<const Classifier> invented_gallery(const Options& options, const ModelCard& card) {
  const auto dimensions = static_cast<std::size_t>(card.dimension);
  const InventedPeople people(options.people, options.photos, dimensions, 1);
  std::vector<Sample> samples;
  for (std::size_t row = 0; row < people.labels().size(); ++row) {
    samples.push_back({people.labels()[row], people.rows().subspan(row * dimensions, dimensions)});
  }
  ClassifierOptions training;
  training.curve = card.curve;
  return train_classifier(samples, training);
}

struct Stages {
  Timing decode, detect, embed, predict, total;
  std::size_t faces = 0;
};

Stages time_stages(Recognizer& recognizer, const Classifier& classifier, std::span<const std::byte> bytes,
                   double seconds) {
  Stages stages;
  Image image;
  std::vector<Face> faces;
  std::vector<float> embeddings;
  const auto dimension = static_cast<std::size_t>(recognizer.card().dimension);
  const auto decode = [&] { image = wajah::decode(bytes); };
  const auto detect = [&] { faces = recognizer.detect(image, recognise_options); };
  const auto embed = [&] { embeddings = recognizer.embed(image, faces); };
  const auto predict = [&] {
    for (std::size_t f = 0; f < faces.size(); ++f) {
      (void)classifier.predict(std::span(embeddings).subspan(f * dimension, dimension));
    }
  };
  stages.decode = measure(seconds / 5, decode);
  stages.detect = measure(seconds / 5, detect);
  stages.embed = measure(seconds / 5, embed);
  stages.predict = measure(seconds / 5, predict);
  stages.total = measure(seconds / 5, [&] {
    decode();
    detect();
    embed();
    predict();
  });
  stages.faces = faces.size();
  return stages;
}

void print(const std::string& name, const Options& options, const Devices& devices, const Stages& stages) {
  if (options.common.json) {
    print_json(json::object{{"image", name},
                            {"device", devices.cuda ? name_of(devices) : "cpu"},
                            {"isa", name_of(devices.cpu.isa())},
                            {"precision", devices.cuda ? options.common.precision : name_of(devices.precision)},
                            {"threads", devices.cpu.threads()},
                            {"faces", stages.faces},
                            {"people", options.people},
                            {"ms", json::object{{"decode", rounded(stages.decode.median_ms)},
                                                {"detect", rounded(stages.detect.median_ms)},
                                                {"embed", rounded(stages.embed.median_ms)},
                                                {"predict", rounded(stages.predict.median_ms)},
                                                {"total", rounded(stages.total.median_ms)},
                                                {"total_min", rounded(stages.total.min_ms)}}}});
    return;
  }
  fmt::print("{}: {} faces, decode {:.2f}, detect {:.2f}, embed {:.2f}, predict {:.3f}, total {:.2f} ms (min {:.2f})\n",
             name, stages.faces, stages.decode.median_ms, stages.detect.median_ms, stages.embed.median_ms,
             stages.predict.median_ms, stages.total.median_ms, stages.total.min_ms);
}

}  // namespace

int bench_recognise(Arguments arguments) {
  Options options;
  std::vector<std::string> images;
  OptionSet set("bench recognise [options] IMAGE...",
                "Times every stage from a photo's bytes to names, among invented people.");
  set.add("people", options.people, "N", "people in the gallery");
  set.add("photos", options.photos, "N", "photos of each");
  set.add("seconds", options.seconds, "S", "how long to measure each photo");
  set.operands(images, "IMAGE", 1, std::size_t(-1));
  set.common(options.common, {.device = true, .mtcnn = true, .weights = true, .mirror = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  check_count("people", options.people, 1, 100'000);
  check_count("photos", options.photos, 1, 10'000);
  check_seconds(options.seconds);
  const Devices devices = make_devices(options.common);
  const auto models = load_models(options.common, devices);
  Recognizer recognizer(models, devices.cpu);
  const auto classifier = invented_gallery(options, models->card());
  return for_each_input("bench", images, [&](const std::string& name) {
    const MappedFile file(name, ErrorKind::input);
    print(name, options, devices, time_stages(recognizer, *classifier, file.bytes(), options.seconds));
  });
}

}  // namespace wajah::cli
