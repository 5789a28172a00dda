// wajah calibrate: fits an embedder's decision curve on a folder of people.
#include "attendance/analyser.hpp"
#include "cli/attendance.hpp"
#include "cli/calibrated_card.hpp"
#include "cli/commands.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/people_folder.hpp"
#include "cli/report.hpp"
#include "cli/weight_files.hpp"
#include "server/model_card.hpp"

#include <wajah/calibration.hpp>
#include <wajah/error.hpp>
#include <wajah/file.hpp>

#include <boost/json.hpp>

#include <atomic>
#include <exception>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace wajah::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using attendance::Analysis;
using attendance::Purpose;

struct Options {
  CommonOptions common;
  PeopleChoice choice;
  std::string output;
  bool write = false;
  std::uint64_t random_state = 1;
};

// One photo of one person after the other, on all threads.
class PeopleEmbedding {
 public:
  PeopleEmbedding(const PeopleFolder& folder, const std::shared_ptr<const Models>& models, const Cpu& cpu)
      : folder_(folder), progress_("embedding", folder.photos()) {
    analysers_ = attendance::make_analysers(models, Cpu(1, cpu.isa()), static_cast<std::size_t>(cpu.threads()), {});
    for (std::size_t person = 0; person < folder.people.size(); ++person) {
      for (std::size_t photo = 0; photo < folder.people[person].photos.size(); ++photo) all_.push_back({person, photo});
    }
    photos_.resize(all_.size());
  }

  // Without the people of whom no photo is of use.
  std::vector<CalibrationPerson> run() {
    {
      std::vector<std::jthread> workers;
      for (auto& analyser : analysers_) workers.emplace_back([&] { work(*analyser); });
    }
    if (failure_) std::rethrow_exception(failure_);
    std::vector<CalibrationPerson> people(folder_.people.size());
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (photos_[i]) people[all_[i].person].push_back(*std::move(photos_[i]));
    }
    std::erase_if(people, [](const CalibrationPerson& person) { return person.empty(); });
    return people;
  }

 private:
  struct Photo {
    std::size_t person = 0, photo = 0;
  };

  void work(attendance::Analyser& analyser) try {
    for (std::size_t i = next_++; i < all_.size(); i = next_++) {
      photos_[i] = embed(analyser, folder_.people[all_[i].person].photos[all_[i].photo]);
      const std::scoped_lock lock(mutex_);
      progress_.show(++done_);
    }
  } catch (...) {
    const std::scoped_lock lock(mutex_);
    failure_ = std::current_exception();
    next_ = all_.size();
  }

  // Nothing if the photo cannot be decoded or shows no face to either setting of the detector.
  std::optional<CalibrationPhoto> embed(attendance::Analyser& analyser, const fs::path& file) {
    std::string reason = "no face found";
    try {
      const auto bytes = read_photo(file);
      auto enrolled = central(analyser.analyse(bytes, Purpose::enrol));
      auto recognised = central(analyser.analyse(bytes, Purpose::recognise));
      if (enrolled && recognised) return CalibrationPhoto{*std::move(enrolled), *std::move(recognised)};
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input) throw;
      reason = error.what();
    }
    const std::scoped_lock lock(mutex_);
    fmt::print(stderr, "wajah calibrate: {}\n", about(file.string(), reason));
    return std::nullopt;
  }

  static std::optional<std::vector<float>> central(const Analysis& analysis) {
    std::vector<Face> faces;
    for (const auto& found : analysis.faces) faces.push_back(found.face);
    const auto chosen = central_face(faces, analysis.width, analysis.height);
    if (!chosen) return std::nullopt;
    return analysis.faces[*chosen].embedding;
  }

  const PeopleFolder& folder_;
  std::vector<std::unique_ptr<attendance::Analyser>> analysers_;
  std::vector<Photo> all_;
  std::vector<std::optional<CalibrationPhoto>> photos_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;  // guards all below, and the standard error
  std::size_t done_ = 0;
  Progress progress_;
  std::exception_ptr failure_;
};

// "lfw, --only dev.txt, --part 1/2": who was calibrated on, without the places of the files.
std::string source_of(const PeopleChoice& choice) {
  const fs::path root = fs::weakly_canonical(choice.root);
  std::string source = root.filename().string();
  const auto add = [&](std::string_view option, const std::string& value) {
    if (!value.empty()) source += fmt::format(", --{} {}", option, value);
  };
  add("only", fs::path(choice.only).filename().string());
  add("exclude", fs::path(choice.exclude).filename().string());
  add("part", choice.part);
  return source;
}

// What the run will write, to be looked at before it begins.
std::vector<fs::path> outputs(const Options& options) {
  std::vector<fs::path> files;
  if (!options.output.empty()) files.emplace_back(options.output);
  if (!options.write) return files;
  const fs::path weights = embedder_file(options.common);
  if (weights.extension() == ".safetensors") files.push_back(weights);
  files.push_back(server::card_file(weights));
  return files;
}

void print(const Options& options, const PeopleFolder& folder, const Calibration& calibration) {
  if (options.common.json) {
    json::object report = json_of(calibration);
    report["decision_curve"] = to_string(calibration.curve);
    report["people_left_out"] = folder.left_out;
    print_json(report);
    return;
  }
  fmt::print("{} people of {} photos calibrated on, {} people left out\n", calibration.people, calibration.photos,
             folder.left_out);
  fmt::print("{} genuine faces and {} strangers held against {} galleries\n", calibration.genuine,
             calibration.strangers, calibration.galleries);
  if (calibration.namesakes > 0) {
    fmt::print("{} pairs of people look like one person under two names and were not compared\n",
               calibration.namesakes);
  }
  fmt::print("decision curve  {}\n", to_string(calibration.curve));
}

int run(Arguments arguments) {
  Options options;
  OptionSet set("calibrate --root DIR [options]",
                "Fits the decision curve of an embedder on a folder of people, DIR/<name>/<photos>: at confidence 0.7, "
                "at most one stranger in a thousand is accepted. Some thousand people give a good curve; measure on "
                "others with 'wajah evaluate gallery'.");
  options.choice.add_to(set);
  set.add("people", options.choice.only, "FILE", "the same as --only");
  set.add("output", options.output, "CARD.json", "a model card to write the curve into");
  set.add("write", options.write, "write it into the card beside the weights, and into a .safetensors file itself");
  set.add("random-state", options.random_state, "R", "seed of the galleries that are drawn");
  set.common(options.common, {.device = true, .mtcnn = true, .weights = true, .mirror = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  for (const fs::path& output : outputs(options)) check_writable(output);
  const PeopleFolder folder = read_people(options.choice);
  const Devices devices = make_devices(options.common);
  const std::shared_ptr<const Models> models = load_models(options.common, devices);
  if (!options.output.empty()) (void)read_card_of(options.output, models->card().architecture);  // before the long work
  const std::vector<CalibrationPerson> people = PeopleEmbedding(folder, models, devices.cpu).run();
  const Fitted fitted{models->card(), calibrate(people, options.random_state), source_of(options.choice)};
  print(options, folder, fitted.calibration);
  std::fflush(stdout);
  if (!options.output.empty()) write_card(options.output, fitted);
  if (options.write) write_beside(embedder_file(options.common), fitted);
  return exit_yes;
}

}  // namespace

const Command calibrate_command{"calibrate", "fits the decision of an embedder on a folder of people", run};

}  // namespace wajah::cli
