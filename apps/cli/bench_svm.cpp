// wajah bench svm: training and asking the support-vector machine, on people that are drawn at random.
#include "cli/bench_verbs.hpp"
#include "cli/cuda_options.hpp"
#include "cli/invented_people.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/timing.hpp"

#include <wajah/error.hpp>
#include <wajah/svm/problem.hpp>
#include <wajah/svm/svm.hpp>
#include <wajah/svm/train_on_card.hpp>

#include <boost/json.hpp>

#include <fstream>
#include <functional>
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

void print(const Options& options, const std::string& device, int threads, const svm::Svm& machine, const Timing& train,
           const Timing& ask) {
  const auto pairs = static_cast<double>(machine.pairs().size());
  if (options.common.json) {
    print_json(json::object{{"people", options.people},
                            {"photos", options.photos},
                            {"dimensions", options.dimensions},
                            {"probability", options.probability},
                            {"device", device},
                            {"threads", threads},
                            {"support_vectors", machine.vectors()},
                            {"train_median_ms", rounded(train.median_ms)},
                            {"train_min_ms", rounded(train.min_ms)},
                            {"predict_median_ms", rounded(ask.median_ms, 5)}});
    return;
  }
  fmt::print(
      "{} people x {} photos x {} numbers{} on {}: train median {:.1f} ms, min {:.1f} ({:.2f} us a pair); predict "
      "{:.4f} "
      "ms\n",
      options.people, options.photos, options.dimensions, options.probability ? ", probabilities" : "", device,
      train.median_ms, train.min_ms, 1e3 * train.min_ms / pairs, ask.median_ms);
}

// The machine is asked on the CPU, wherever it was trained.
void time_training(const Options& options, const std::string& device, int threads, const svm::Problem& problem,
                   const std::function<svm::Svm()>& train) {
  std::optional<svm::Svm> machine;
  const Timing training = measure(options.seconds, [&] { machine = train(); });
  const Timing ask = measure(options.seconds / 4, [&] { (void)machine->predict(problem.row(0)); });
  print(options, device, threads, *machine, training, ask);
}

void time_on_cpu(const Options& options, const svm::Problem& problem) {
  const Cpu cpu = make_device(options.common);
  const svm::SvmOptions training{.probability = options.probability, .threads = cpu.threads()};
  time_training(options, fmt::format("cpu/{}", name_of(cpu.isa())), cpu.threads(), problem,
                [&] { return svm::Svm::train(problem, training); });
}

void time_on_card(const Options& options, [[maybe_unused]] const svm::Problem& problem) {
  if (options.probability) fail(ErrorKind::device, "--probability: is fitted on the CPU alone; use --device cpu");
  const Cuda cuda =
      make_cuda(parse_device(options.common.device), options.common.gpu_memory_fraction, Arithmetic::fp32);
#ifdef WAJAH_HAVE_CUDA
  time_training(options, cuda.facts().name, 1, problem, [&] { return svm::train(cuda, problem, {}); });
#endif
}

}  // namespace

int bench_svm(Arguments arguments) {
  Options options;
  OptionSet set(
      "bench svm [options]",
      "Times training one machine for every pair of people and asking it, on invented embeddings; on a card with "
      "--device cuda.");
  set.add("people", options.people, "N", "people");
  set.add("photos", options.photos, "N", "photos of each");
  set.add("dim", options.dimensions, "N", "numbers of an embedding");
  set.add("probability", options.probability, "also fit what probabilities need");
  set.add("save", options.save, "FILE", "write the data in libsvm's format, and measure nothing");
  set.add("seconds", options.seconds, "S", "how long to measure");
  set.common(options.common, {.device = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  check(options);
  const InventedPeople people(options.people, options.photos, options.dimensions, 1);
  const svm::Problem problem(svm::rows_of(people.rows(), options.dimensions), people.labels());
  if (!options.save.empty()) {
    save(options.save, problem);
    return exit_yes;
  }
  if (parse_device(options.common.device).kind == DeviceChoice::Kind::cuda) {
    time_on_card(options, problem);
  } else {
    time_on_cpu(options, problem);
  }
  return exit_yes;
}

}  // namespace wajah::cli
