// wajah bench detect: finding faces, stage by stage; and whether the fast way finds what the plain one finds.
#include "cli/bench_verbs.hpp"
#include "cli/devices.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/random_weights.hpp"
#include "cli/report.hpp"
#include "cli/timing.hpp"
#include "cli/weight_files.hpp"

#include <wajah/convert/open.hpp>
#include <wajah/detect/detector.hpp>
#include <wajah/error.hpp>
#include <wajah/image_io.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

namespace wajah::cli {
namespace {

namespace json = boost::json;

constexpr std::array stage_names{"upload", "pyramid", "pnet", "proposals", "rnet", "onet"};
constexpr std::size_t first_judge = 3;  // the stages from here on say how much a network has seen

struct Options {
  CommonOptions common;
  DetectorOptions detector;
  double seconds = 1;
  bool check = false;
  std::size_t most = 0;
};

// One detection's milliseconds and counts, stage by stage.
struct Stages {
  std::array<double, stage_names.size()> ms{};
  std::array<std::size_t, stage_names.size()> seen{}, judged{};
};

Stages detect_once(Detector& detector, const Image& image, const DetectorOptions& options, std::size_t& faces) {
  Stages stages;
  Stopwatch watch;
  double last = 0;
  faces = detector
              .detect(image, options,
                      [&](const StageEnd& end) {
                        const auto i = static_cast<std::size_t>(end.stage);
                        const double now = watch.milliseconds();
                        stages.ms[i] += now - last;
                        stages.seen[i] += end.seen;
                        stages.judged[i] += end.judged;
                        last = now;
                      })
              .size();
  return stages;
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

void time_picture(Detector& detector, const Devices& devices, const std::string& name, const Options& options) {
  Image image;
  const Timing decode = measure(options.seconds / 4, [&] { image = read_image(name); });
  std::size_t faces = 0;
  std::vector<Stages> runs;
  const Timing detect = measure(
      options.seconds, [&] { runs.push_back(detect_once(detector, image, options.detector, faces)); },
      [&] { runs.clear(); });
  // What a card takes for a picture that lies on it already: all but the first stage.
  std::vector<double> without_upload;
  for (const Stages& run : runs) without_upload.push_back(std::accumulate(run.ms.begin() + 1, run.ms.end(), 0.0));
  json::object stages;
  std::string table;
  for (std::size_t i = devices.cuda ? 0 : 1; i < stage_names.size(); ++i) {
    std::vector<double> times;
    for (const Stages& run : runs) times.push_back(run.ms[i]);
    const double ms = median(std::move(times));
    const Stages& last = runs.back();
    stages[stage_names[i]] = json::object{{"ms", rounded(ms)}, {"seen", last.seen[i]}, {"judged", last.judged[i]}};
    table += fmt::format("  {:<10}{:>9.2f} ms {:>5.1f} %", stage_names[i], ms, 100 * ms / detect.median_ms);
    table += i < first_judge ? "\n" : fmt::format("  {} of {} judged by the network\n", last.judged[i], last.seen[i]);
  }
  const double on_card = median(std::move(without_upload));
  if (options.common.json) {
    json::object line{{"image", name},
                      {"width", image.width},
                      {"height", image.height},
                      {"min_size", options.detector.min_size},
                      {"device", devices.cuda ? name_of(devices) : "cpu"},
                      {"isa", name_of(devices.cpu.isa())},
                      {"threads", devices.cpu.threads()},
                      {"faces", faces},
                      {"decode_ms", rounded(decode.median_ms)},
                      {"median_ms", rounded(detect.median_ms)},
                      {"min_ms", rounded(detect.min_ms)},
                      {"stages", std::move(stages)}};
    if (devices.cuda) line["median_ms_on_card"] = rounded(on_card);
    print_json(line);
  } else {
    const std::string already =
        devices.cuda ? fmt::format(", {:.2f} ms of it for a picture on the card already", on_card) : std::string();
    fmt::print("{}: {}x{}, {} faces, detect median {:.2f} ms{}, min {:.2f}, decode {:.2f}\n{}", name, image.width,
               image.height, faces, detect.median_ms, already, detect.min_ms, decode.median_ms, table);
  }
}

bool same(const std::vector<Face>& a, const std::vector<Face>& b) {
  return std::ranges::equal(
      a, b, [](const Face& f, const Face& g) { return f.box == g.box && f.score == g.score && f.points == g.points; });
}

// The pictures among and below the names, at most `most` of them evenly spread; 0: all. Throws Error (input) if there
// are none: a comparison of nothing would pass.
std::vector<std::string> photos_of(const std::vector<std::string>& names, std::size_t most) {
  namespace fs = std::filesystem;
  std::vector<std::string> all, some;
  for (const std::string& name : names) {
    if (!fs::is_directory(name)) {
      all.push_back(name);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(name)) {
      if (is_photo_name(entry.path())) all.push_back(entry.path().string());
    }
  }
  if (all.empty()) fail(ErrorKind::input, "{}: no .jpg, .jpeg, .png or .webp below", fmt::join(names, ", "));
  std::ranges::sort(all);
  if (most == 0 || all.size() <= most) return all;
  for (std::size_t i = 0; i < most; ++i) some.push_back(all[i * all.size() / most]);
  return some;
}

int check_photos(Detector& fast, Detector& plain, const std::vector<std::string>& photos, const Options& options) {
  std::size_t faces = 0, different = 0, done = 0, read = 0;
  Progress progress("comparing", photos.size());
  const int code = for_each_input("bench", photos, [&](const std::string& name) {
    progress.show(++done);
    const Image image = read_image(name);
    ++read;
    for (const DetectorOptions& setting : {options.detector, recognise_options, enrol_options}) {
      const std::vector<Face> found = fast.detect(image, setting);
      faces += found.size();
      if (same(found, plain.detect(image, setting))) continue;
      ++different;
      fmt::print(stderr, "wajah bench: {}: other faces at min size {}\n", name, setting.min_size);
    }
  });
  if (options.common.json) {
    print_json(json::object{{"photos", read}, {"settings", 3}, {"faces", faces}, {"different", different}});
  } else {
    fmt::print("{} photos, 3 settings, {} faces: {} differ from the plain way\n", read, faces, different);
  }
  return different == 0 ? code : exit_no;
}

// Of one device both ways find the same to the last bit; a card has one way only.
std::string of_the_cpu(const std::string& device) {
  if (parse_device(device).kind == DeviceChoice::Kind::cuda) {
    fail(ErrorKind::usage, "--check compares two ways of the CPU, not --device {}", device);
  }
  return "cpu";
}

}  // namespace

int bench_detect(Arguments arguments) {
  Options options;
  std::vector<std::string> images;
  OptionSet set(
      "bench detect [options] IMAGE...",
      "Times finding the faces of pictures stage by stage, decoding apart. With --check it times nothing, but "
      "says in how many pictures the fast way finds other boxes, scores or landmarks than every network layer "
      "by layer on everything: there must be none. That is the CPU's; times are also taken on a card, with "
      "and without bringing the picture there.");
  set.add("min-size", options.detector.min_size, "PIXELS", "the smallest face to look for");
  set.add("seconds", options.seconds, "S", "how long to measure each picture");
  set.add("check", options.check, "compare instead; IMAGE may be a folder of photos");
  set.add("most", options.most, "N", "with --check: at most so many photos, 0 = all");
  set.operands(images, "IMAGE", 1, std::size_t(-1));
  set.common(options.common, {.device = true, .mtcnn = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  check_seconds(options.seconds);
  if (options.most > 0 && !options.check) fail(ErrorKind::usage, "--most {}: needs --check", options.most);
  validate(options.detector);
  if (options.check) options.common.device = of_the_cpu(options.common.device);
  const Devices devices = make_devices(options.common);
  const auto file = look_for_mtcnn(options.common);
  if (!file) fmt::print(stderr, "wajah bench: no weights for the detector, so random ones find what no face is\n");
  const auto model = load_detector(file ? open_mtcnn(*file) : random_mtcnn(), devices);
  Detector detector(model, devices.cpu);
  if (options.check) {
    Detector plain(model, devices.cpu, DetectorWay::plain);
    return check_photos(detector, plain, photos_of(images, options.most), options);
  }
  const auto time = [&](const std::string& name) { time_picture(detector, devices, name, options); };
  return for_each_input("bench", images, time);
}

}  // namespace wajah::cli
