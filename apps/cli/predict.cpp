// wajah predict: asks a support-vector machine that `wajah train` or libsvm wrote.
#include "cli/commands.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/report.hpp"

#include <wajah/convert/npy.hpp>
#include <wajah/error.hpp>
#include <wajah/file.hpp>
#include <wajah/svm/libsvm_file.hpp>
#include <wajah/text.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <cstdint>
#include <map>

namespace wajah::cli {
namespace {

namespace json = boost::json;

struct Options {
  CommonOptions common;
  std::string model, features, output, decision;
};

struct Answers {
  std::vector<double> decisions;      // (n, k (k - 1) / 2)
  std::vector<double> probabilities;  // (n, k), empty if not asked for
  std::map<int, std::int64_t> votes;  // label -> rows
};

svm::Svm read_model(const std::string& name, std::size_t columns) {
  const MappedFile file(name);
  const std::span<const std::byte> bytes = file.bytes();
  return svm::read_libsvm({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, name, columns);
}

Answers ask(const svm::Svm& machine, std::span<const float> features, std::size_t columns, bool probabilities) {
  Answers answers;
  for (std::size_t at = 0; at < features.size(); at += columns) {
    const std::vector<double> decisions = machine.decision_values(features.subspan(at, columns));
    ++answers.votes[machine.vote(decisions)];
    answers.decisions.insert(answers.decisions.end(), decisions.begin(), decisions.end());
    if (!probabilities) continue;
    const std::vector<double> row = machine.probabilities_of(decisions);
    answers.probabilities.insert(answers.probabilities.end(), row.begin(), row.end());
  }
  return answers;
}

void report(const Options& options, const svm::Svm& machine, const Answers& answers, std::int64_t rows) {
  if (options.common.json) {
    json::array labels, votes;
    for (const int label : machine.labels()) {
      const auto found = answers.votes.find(label);
      labels.emplace_back(label);
      votes.emplace_back(found == answers.votes.end() ? 0 : found->second);
    }
    print_json(json::object{{"rows", rows}, {"labels", std::move(labels)}, {"votes", std::move(votes)}});
    return;
  }
  fmt::print("{} rows, {} classes\n", rows, machine.labels().size());
  for (const auto& [label, count] : answers.votes) fmt::print("  label {}: {}\n", label, count);
}

int predict(const Options& options) {
  const NpyArray array = read_npy(options.features);
  if (array.shape.size() != 2 || array.shape[1] < 1) {
    fail(ErrorKind::input, "{}: shape {}, features are [n, d]", options.features, shape_text(array.shape));
  }
  const auto columns = static_cast<std::size_t>(array.shape[1]);
  const svm::Svm machine = read_model(options.model, columns);
  if (!options.output.empty() && !machine.has_probabilities()) {
    fail(ErrorKind::model, "{}: trained without probabilities; train with --probability, or ask for --decision only",
         options.model);
  }
  const Answers answers = ask(machine, array.values<float>(), columns, !options.output.empty());
  const auto classes = static_cast<std::int64_t>(machine.labels().size());
  if (!options.output.empty()) write_npy(options.output, {array.shape[0], classes}, answers.probabilities);
  if (!options.decision.empty()) {
    write_npy(options.decision, {array.shape[0], classes * (classes - 1) / 2}, answers.decisions);
  }
  report(options, machine, answers, array.shape[0]);
  return exit_yes;
}

int run(Arguments arguments) {
  Options options;
  OptionSet set("predict --model M.model --features X.npy [--output P.npy] [--decision D.npy]",
                "Asks a support-vector machine in libsvm's text format about every row.");
  set.add("model", options.model, "M.model", "libsvm's text format");
  set.add("features", options.features, "X.npy", "float32 or float64 (n, d)");
  set.add("output", options.output, "P.npy", "class probabilities to write, float64 (n, k), classes as in the model");
  set.add("decision", options.decision, "D.npy", "one-vs-one decision values to write, float64 (n, k (k - 1) / 2)");
  set.common(options.common, {.json = true});
  if (!set.parse(arguments)) return exit_yes;
  if (options.model.empty()) fail(ErrorKind::usage, "--model is missing");
  if (options.features.empty()) fail(ErrorKind::usage, "--features is missing");
  return predict(options);
}

}  // namespace

const Command predict_command{"predict", "asks a support-vector machine", run};

}  // namespace wajah::cli
