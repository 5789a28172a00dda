// wajah bench gallery: the classifier of an attendance service, from nothing to everybody enrolled and one more.
#include "cli/bench_verbs.hpp"
#include "cli/invented_people.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/timing.hpp"

#include <wajah/classifier.hpp>
#include <wajah/error.hpp>

#include <boost/json.hpp>

#include <sys/resource.h>

#include <memory>
#include <vector>

namespace wajah::cli {
namespace {

namespace json = boost::json;

struct Options {
  CommonOptions common;
  std::size_t people = 1'000, photos = 5, dimensions = 512;
  bool closed_set = false;
  double seconds = 2;
};

struct Figures {
  Timing train, enrol, remove, ask, stranger;
  double memory_mb = 0;  // the most the process has held
};

double memory_mb() {
  rusage usage{};
  (void)::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

std::vector<Sample> samples_of(const InventedPeople& people, std::size_t dimensions, std::size_t first,
                               std::size_t count) {
  std::vector<Sample> samples;
  for (std::size_t row = first; row < first + count; ++row)
    samples.push_back({people.labels()[row], people.rows().subspan(row * dimensions, dimensions)});
  return samples;
}

Figures measure_gallery(const Options& options) {
  // One more than are enrolled, who comes and goes, and one who never is.
  const InventedPeople all(options.people + 2, options.photos, options.dimensions, 1);
  const std::size_t enrolled = options.people * options.photos;
  const auto samples = samples_of(all, options.dimensions, 0, enrolled);
  const auto newcomer = samples_of(all, options.dimensions, enrolled, options.photos);
  const auto stranger = samples_of(all, options.dimensions, enrolled + options.photos, 1);
  ClassifierOptions training;
  training.closed_set = options.closed_set;
  training.threads = options.common.threads;
  Figures figures;
  std::shared_ptr<const Classifier> classifier, with_newcomer;
  figures.train = measure(options.seconds, [&] { classifier = train_classifier(samples, training); });
  figures.enrol = measure(options.seconds / 4, [&] { with_newcomer = classifier->with({newcomer, {}}); });
  const std::int64_t gone[] = {newcomer.front().label};
  figures.remove = measure(options.seconds / 4, [&] { (void)with_newcomer->with({{}, gone}); });
  figures.ask = measure(options.seconds / 4, [&] { (void)classifier->predict(samples[enrolled / 2].embedding); });
  figures.stranger = measure(options.seconds / 4, [&] { (void)classifier->predict(stranger.front().embedding); });
  figures.memory_mb = memory_mb();
  return figures;
}

void print(const Options& options, const Figures& f) {
  if (options.common.json) {
    print_json(json::object{{"people", options.people},
                            {"photos", options.photos},
                            {"dimensions", options.dimensions},
                            {"closed_set", options.closed_set},
                            {"threads", Cpu(options.common.threads).threads()},
                            {"train_ms", rounded(f.train.median_ms)},
                            {"enrol_ms", rounded(f.enrol.median_ms, 5)},
                            {"remove_ms", rounded(f.remove.median_ms, 5)},
                            {"predict_ms", rounded(f.ask.median_ms, 5)},
                            {"predict_stranger_ms", rounded(f.stranger.median_ms, 5)},
                            {"memory_mb", rounded(f.memory_mb)}});
    return;
  }
  fmt::print(
      "{} people x {} photos x {} numbers{}: train {:.1f} ms; enrol one {:.3f}, remove one {:.3f}, predict {:.3f}, a "
      "stranger {:.3f} ms; memory {:.0f} MB\n",
      options.people, options.photos, options.dimensions, options.closed_set ? ", closed set" : "", f.train.median_ms,
      f.enrol.median_ms, f.remove.median_ms, f.ask.median_ms, f.stranger.median_ms, f.memory_mb);
}

}  // namespace

int bench_gallery(Arguments arguments) {
  Options options;
  OptionSet set("bench gallery [options]",
                "Times training a classifier of many invented people, adding one, removing one and asking it.");
  set.add("people", options.people, "N", "people");
  set.add("photos", options.photos, "N", "photos of each");
  set.add("dim", options.dimensions, "N", "numbers of an embedding");
  set.add("closed-set", options.closed_set, "the original's rule, with a machine for every two people");
  set.add("seconds", options.seconds, "S", "how long to measure");
  set.common(options.common, {.threads = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  const std::size_t most = options.closed_set ? 3'000 : 100'000;
  check_count("people", options.people, 1, most);
  check_count("photos", options.photos, 1, 10'000);
  check_count("dim", options.dimensions, 1, 65'536);
  check_seconds(options.seconds);
  check_threads(options.common);
  print(options, measure_gallery(options));
  return exit_yes;
}

}  // namespace wajah::cli
