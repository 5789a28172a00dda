// wajah bench svm: training and asking the support-vector machine, on people that are drawn at random.
#include "cli/bench_verbs.hpp"
#include "cli/invented_people.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/timing.hpp"

#include <wajah/error.hpp>
#include <wajah/svm/problem.hpp>
#include <wajah/svm/svm.hpp>

#include <boost/json.hpp>

#include <fstream>
#include <optional>
#include <string>

namespace wajah::cli {
namespace {

namespace json = boost::json;

struct Options {
  CommonOptions common;
  std::size_t people = 100, photos = 20, dimensions = 512;
  bool probability = false;
  std::string save;
  double seconds = 2;
};

void check(const Options& options) {
  if (options.people < 2 || options.people > 3'000) {
    fail(ErrorKind::usage, "--people {}: expected 2 to 3000; pairs grow with the square", options.people);
  }
  check_count("photos", options.photos, 1, 10'000);
  check_count("dim", options.dimensions, 1, 65'536);
  check_seconds(options.seconds);
  check_threads(options.common);
}

// In libsvm's text format, every number with the digits that give it back exactly: what others can be measured on.
void save(const std::string& name, const svm::Problem& problem) {
  std::ofstream file(name);
  for (std::size_t row = 0; row < problem.rows(); ++row) {
    std::string line = fmt::format("{}", problem.labels()[row]);
    for (std::size_t i = 0; i < problem.dimensions(); ++i) line += fmt::format(" {}:{}", i + 1, problem.row(row)[i]);
    file << line << '\n';
  }
  if (!file.flush()) fail(ErrorKind::storage, "{}: cannot be written", name);
}

void print(const Options& options, const svm::Svm& machine, const Timing& train, const Timing& ask) {
  const auto pairs = static_cast<double>(machine.pairs().size());
  if (options.common.json) {
    print_json(json::object{{"people", options.people},
                            {"photos", options.photos},
                            {"dimensions", options.dimensions},
                            {"probability", options.probability},
                            {"threads", Cpu(options.common.threads).threads()},
                            {"support_vectors", machine.vectors()},
                            {"train_median_ms", rounded(train.median_ms)},
                            {"train_min_ms", rounded(train.min_ms)},
                            {"predict_median_ms", rounded(ask.median_ms, 5)}});
    return;
  }
  fmt::print(
      "{} people x {} photos x {} numbers{}: train median {:.1f} ms, min {:.1f} ({:.2f} us a pair); predict {:.4f} "
      "ms\n",
      options.people, options.photos, options.dimensions, options.probability ? ", probabilities" : "", train.median_ms,
      train.min_ms, 1e3 * train.min_ms / pairs, ask.median_ms);
}

}  // namespace

int bench_svm(Arguments arguments) {
  Options options;
  OptionSet set("bench svm [options]",
                "Times training one machine for every pair of people and asking it, on invented embeddings.");
  set.add("people", options.people, "N", "people");
  set.add("photos", options.photos, "N", "photos of each");
  set.add("dim", options.dimensions, "N", "numbers of an embedding");
  set.add("probability", options.probability, "also fit what probabilities need");
  set.add("save", options.save, "FILE", "write the data in libsvm's format, and measure nothing");
  set.add("seconds", options.seconds, "S", "how long to measure");
  set.common(options.common, {.threads = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  check(options);
  const InventedPeople people(options.people, options.photos, options.dimensions, 1);
  const svm::Problem problem(svm::rows_of(people.rows(), options.dimensions), people.labels());
  if (!options.save.empty()) {
    save(options.save, problem);
    return exit_yes;
  }
  const svm::SvmOptions training{.probability = options.probability, .threads = options.common.threads};
  std::optional<svm::Svm> machine;
  const Timing train = measure(options.seconds, [&] { machine = svm::Svm::train(problem, training); });
  const Timing ask = measure(options.seconds / 4, [&] { (void)machine->predict(problem.row(0)); });
  print(options, *machine, train, ask);
  return exit_yes;
}

}  // namespace wajah::cli
