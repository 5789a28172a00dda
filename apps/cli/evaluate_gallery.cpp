// wajah evaluate gallery: enrols people and recognises them among strangers.
#include "attendance/service.hpp"
#include "cli/calibrated_on.hpp"
#include "cli/evaluate_verbs.hpp"
#include "cli/gallery_trial.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/people_folder.hpp"
#include "cli/report.hpp"
#include "cli/svg_plot.hpp"
#include "cli/weight_files.hpp"

#include <wajah/error.hpp>
#include <wajah/evaluate.hpp>
#include <wajah/file.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

namespace wajah::cli {
namespace {

namespace json = boost::json;

struct Options {
  CommonOptions common;
  PeopleChoice choice;
  std::size_t people = 10, photos = 5, strangers = 1000, galleries = 1;
  std::uint64_t random_state = 1;
  bool closed_set = false;
  std::string plot;
};

const double accept = attendance::ServiceOptions{}.accept;

GalleryResult measure(const Options& options, const PeopleFolder& folder, const std::shared_ptr<const Models>& models,
                      const Cpu& cpu) {
  GalleryTrials trials(folder, models, cpu);
  GalleryResult sum;
  for (std::size_t i = 0; i < options.galleries; ++i) {
    std::optional<Progress> progress;
    sum.add(
        trials.run({options.people, options.photos, options.strangers, options.random_state + i, options.closed_set},
                   [&](std::size_t done, std::size_t of) {
                     if (!progress) progress.emplace("recognising", of);
                     progress->show(done);
                   }));
  }
  return sum;
}

// Confidence near 1 would fall into one float; its logarithm of the odds does not.
float spread(double confidence) {
  constexpr double least = 1e-12;
  const double inside = std::clamp(confidence, least, 1 - least);
  return static_cast<float>(std::log(inside / (1 - inside)));
}

void draw_det(const GalleryResult& result, const std::filesystem::path& file) {
  if (result.genuine.empty() || result.strangers.empty()) {
    fail(ErrorKind::input, "{}: not drawn, there are {} genuine faces and {} strangers, expected some of both",
         file.string(), result.genuine.size(), result.strangers.size());
  }
  std::vector<ScoredPair> faces;
  const float never = spread(0) - 1;
  for (const Judged& judged : result.genuine) faces.push_back({judged.right ? spread(judged.confidence) : never, true});
  for (const Judged& judged : result.strangers)
    faces.push_back({judged.face ? spread(judged.confidence) : never, false});
  std::vector<PlotPoint> points;
  for (const OperatingPoint& at : roc_curve(faces)) points.push_back({at.false_accepts, 1 - at.true_accepts});
  const auto finest = [](std::size_t count) { return 0.5 / static_cast<double>(std::max<std::size_t>(count, 10)); };
  SvgPlot plot(fmt::format("Recognition of {} people with {} strangers (DET)", result.people / result.galleries,
                           result.strangers.size() / result.galleries),
               {"strangers accepted", finest(result.strangers.size()), 1, Scale::logarithmic},
               {"enrolled people not accepted", finest(result.genuine.size()), 1, Scale::logarithmic});
  plot.add_curve("threshold on the confidence", std::move(points));
  const GalleryFigures figures = figures_of(result, accept);
  plot.add_mark(fmt::format("confidence {}", accept), {figures.strangers_accepted, 1 - figures.genuine_accepted});
  plot.write(file);
}

void print_as_json(const Options& options, const PeopleFolder& folder, const std::optional<CalibratedOn>& calibrated,
                   const GalleryResult& result) {
  const GalleryFigures figures = figures_of(result, accept);
  print_json(json::object{{"people", result.people / result.galleries},
                          {"photos", options.photos},
                          {"genuine", result.genuine.size()},
                          {"rank1", rounded(figures.rank1, 6)},
                          {"genuine_accepted", rounded(figures.genuine_accepted, 6)},
                          {"misidentified", rounded(figures.misidentified, 6)},
                          {"strangers", result.strangers.size()},
                          {"strangers_accepted", rounded(figures.strangers_accepted, 6)},
                          {"accept", accept},
                          {"galleries", result.galleries},
                          {"random_state", options.random_state},
                          {"photos_enrolled", result.photos},
                          {"photos_skipped", result.skipped},
                          {"photos_unreadable", result.unreadable},
                          {"people_refused", result.refused},
                          {"people_taking_part", folder.people.size()},
                          {"people_left_out", folder.left_out},
                          {"people_calibrated_on", calibrated ? json::value(calibrated->people) : json::value(nullptr)},
                          {"rule", options.closed_set ? "closed_set" : "calibrated"}});
}

// The wrong answers by name, because some are faults of the photos' labels.
void print_wrong(const PeopleFolder& folder, const GalleryResult& result) {
  constexpr std::size_t most = 10;
  std::size_t shown = 0;
  const auto print = [&](const std::vector<Judged>& all) {
    for (const Judged& judged : all) {
      if (!judged.face || judged.right || judged.confidence < accept || shown++ >= most) continue;
      fmt::print("  {} taken for {}, confidence {:.1f} %\n",
                 folder.people[judged.photo.person].photos[judged.photo.photo].filename().string(),
                 folder.people[judged.named].name, judged.confidence * 100);
    }
  };
  print(result.genuine);
  print(result.strangers);
  if (shown > most) fmt::print("  and {} more\n", shown - most);
}

void print_as_text(const Options& options, const PeopleFolder& folder, const std::optional<CalibratedOn>& calibrated,
                   const GalleryResult& result) {
  const GalleryFigures figures = figures_of(result, accept);
  const auto percent = [](double share) { return fmt::format("{:7.3f} %", share * 100); };
  fmt::print("{} people of {} photos take part, {} people are left out\n", folder.people.size(), folder.photos(),
             folder.left_out);
  fmt::print("{}\n", text_of(calibrated));
  fmt::print("enrolled             {} people with up to {} photos{}\n", result.people / result.galleries,
             options.photos, result.galleries > 1 ? fmt::format(", {} galleries", result.galleries) : "");
  fmt::print("not enrolled         {} people refused, {} photos skipped\n", result.refused, result.skipped);
  if (result.unreadable > 0) fmt::print("not readable         {} photos, left out\n", result.unreadable);
  fmt::print("genuine faces        {}\n", result.genuine.size());
  fmt::print("  right person first {}\n", percent(figures.rank1));
  fmt::print("  accepted           {}\n", percent(figures.genuine_accepted));
  fmt::print("  misidentified      {}\n", percent(figures.misidentified));
  fmt::print("strangers            {}\n", result.strangers.size());
  fmt::print("  accepted           {}\n", percent(figures.strangers_accepted));
  print_wrong(folder, result);
}

}  // namespace

int evaluate_gallery(Arguments arguments) {
  Options options;
  OptionSet set(
      "evaluate gallery --root DIR --people K [options]",
      "Enrols K people from DIR/<name>/<photos> as the server does, recognises their other photos and photos of "
      "people who are not enrolled, and accepts at confidence 0.7. Photos that cannot be read are named, left out and "
      "counted. People with fewer photos than asked for are "
      "taken last and keep one back; people of one photo make up for those who are missing.");
  options.choice.add_to(set);
  set.add("people", options.people, "K", "people to enrol");
  set.add("photos", options.photos, "N", "photos of each to enrol");
  set.add("strangers", options.strangers, "S", "photos of people who are not enrolled");
  set.add("random-state", options.random_state, "R", "seed of who is enrolled with which photos");
  set.add("galleries", options.galleries, "G", "galleries to add up, with random states R, R + 1, ...");
  set.add("closed-set", options.closed_set, "the original's rule: the machine's own probability decides");
  set.add("plot", options.plot, "FILE.svg", "the DET curve, to draw");
  set.common(options.common, {.device = true, .mtcnn = true, .weights = true, .mirror = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  if (options.people < 1 || options.photos < 1 || options.galleries < 1) {
    fail(ErrorKind::usage, "--people, --photos and --galleries: expected 1 or more");
  }
  if (!options.plot.empty()) {
    if (options.strangers < 1)
      fail(ErrorKind::usage, "--plot draws strangers against genuine faces: --strangers 1 or more");
    check_writable(options.plot);
  }
  const PeopleFolder folder = read_people(options.choice);
  const Devices devices = make_devices(options.common);
  const std::shared_ptr<const Models> models = load_models(options.common, devices);
  const std::optional<CalibratedOn> calibrated = calibrated_on(options.common, models->card());
  const GalleryResult result = measure(options, folder, models, devices.cpu);
  if (options.common.json) {
    print_as_json(options, folder, calibrated, result);
  } else {
    print_as_text(options, folder, calibrated, result);
  }
  if (!options.plot.empty()) draw_det(result, options.plot);
  return exit_yes;
}

}  // namespace wajah::cli
