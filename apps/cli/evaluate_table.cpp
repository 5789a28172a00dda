// wajah evaluate table: the original's rule beside wajah's on the same embeddings, as docs/accuracy.md shows them.
#include "attendance/service.hpp"
#include "cli/calibrated_on.hpp"
#include "cli/evaluate_verbs.hpp"
#include "cli/gallery_trial.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/people_folder.hpp"
#include "cli/report.hpp"
#include "cli/weight_files.hpp"

#include <wajah/error.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

namespace wajah::cli {
namespace {

namespace json = boost::json;

struct Options {
  CommonOptions common;
  PeopleChoice choice;
  std::string people = "1,2,10,50,100,1000", photos = "5,1";
  std::size_t strangers = 1000, largest_original = 100;
  std::uint64_t random_state = 1;
};

struct Row {
  std::size_t people = 0, photos = 0;
  GalleryResult wajah;
  std::optional<GalleryResult> original;
};

// Small galleries have few genuine faces, so there are more of them.
std::size_t galleries_for(std::size_t people) {
  return static_cast<std::size_t>(std::clamp(std::round(300 / static_cast<double>(people)), 1.0, 100.0));
}

GalleryResult measure(GalleryTrials& trials, const Options& options, std::size_t people, std::size_t photos,
                      bool closed_set) {
  GalleryResult sum;
  for (std::size_t i = 0; i < galleries_for(people); ++i) {
    sum.add(trials.run({people, photos, options.strangers, options.random_state + i, closed_set},
                       [](std::size_t, std::size_t) {}));
  }
  return sum;
}

json::object json_of(const GalleryResult& result, double accept) {
  const GalleryFigures figures = figures_of(result, accept);
  return {{"galleries", result.galleries},
          {"people", result.people / result.galleries},
          {"genuine", result.genuine.size()},
          {"rank1", rounded(figures.rank1, 6)},
          {"genuine_accepted", rounded(figures.genuine_accepted, 6)},
          {"misidentified", rounded(figures.misidentified, 6)},
          {"strangers", result.strangers.size()},
          {"strangers_accepted", rounded(figures.strangers_accepted, 6)},
          {"photos_unreadable", result.unreadable}};
}

void print_as_json(const Row& row, double accept) {
  print_json(json::object{{"people", row.people},
                          {"photos", row.photos},
                          {"wajah", json_of(row.wajah, accept)},
                          {"original", row.original ? json::value(json_of(*row.original, accept)) : nullptr}});
}

void print_head() {
  fmt::print(
      "| people x photos | genuine | strangers | original: accepted | misidentified | strangers in | wajah: accepted | "
      "misidentified | strangers in | top-1 |\n|---|---|---|---|---|---|---|---|---|---|\n");
}

void print_as_text(const Row& row, double accept) {
  const auto percent = [](double share, int digits) { return fmt::format("{:.{}f} %", share * 100, digits); };
  std::string original = "- | - | -";
  if (row.original) {
    const GalleryFigures figures = figures_of(*row.original, accept);
    original = fmt::format("{} | {} | {}", percent(figures.genuine_accepted, 1), percent(figures.misidentified, 2),
                           percent(figures.strangers_accepted, 2));
  }
  const GalleryFigures figures = figures_of(row.wajah, accept);
  fmt::print("| {} x {} | {} | {} | {} | {} | {} | {} | {} |\n", row.wajah.people / row.wajah.galleries, row.photos,
             row.wajah.genuine.size(), row.wajah.strangers.size(), original, percent(figures.genuine_accepted, 1),
             percent(figures.misidentified, 2), percent(figures.strangers_accepted, 2), percent(figures.rank1, 1));
}

}  // namespace

int evaluate_table(Arguments arguments) {
  Options options;
  OptionSet set("evaluate table --root DIR [options]",
                "Enrols and recognises galleries of several sizes twice, by the original's rule (the machine's Platt "
                "probability above 0.7) and by wajah's, and prints both as a table in Markdown. Small galleries are "
                "drawn several times. Photos that cannot be read are named and left out.");
  options.choice.add_to(set);
  set.add("people", options.people, "K,...", "sizes of the galleries");
  set.add("photos", options.photos, "N,...", "photos to enrol of each person");
  set.add("strangers", options.strangers, "S", "photos of people who are not enrolled, for each gallery");
  set.add("random-state", options.random_state, "R", "seed of who is enrolled with which photos");
  set.add("largest-original", options.largest_original, "K",
          "the original's rule up to this many people: it trains a machine for every two");
  set.common(options.common, {.device = true, .mtcnn = true, .weights = true, .mirror = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  const std::vector<int> sizes = parse_counts("people", options.people, 1);
  const std::vector<int> photo_counts = parse_counts("photos", options.photos, 1);
  const PeopleFolder folder = read_people(options.choice);
  const Devices devices = make_devices(options.common);
  const std::shared_ptr<const Models> models = load_models(options.common, devices);
  GalleryTrials trials(folder, models, devices.cpu);
  const double accept = attendance::ServiceOptions{}.accept;

  fmt::print(stderr, "{} people of {} photos take part, {} people are left out; {}\n", folder.people.size(),
             folder.photos(), folder.left_out, text_of(calibrated_on(options.common, models->card())));
  if (!options.common.json) print_head();
  for (const int photos : photo_counts) {
    for (const int people : sizes) {
      Row row{static_cast<std::size_t>(people), static_cast<std::size_t>(photos), {}, {}};
      row.wajah = measure(trials, options, row.people, row.photos, false);
      if (row.people <= options.largest_original && row.people > 1) {
        row.original = measure(trials, options, row.people, row.photos, true);
      }
      options.common.json ? print_as_json(row, accept) : print_as_text(row, accept);
      std::fflush(stdout);
    }
  }
  return exit_yes;
}

}  // namespace wajah::cli
