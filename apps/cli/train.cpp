// wajah train: the support-vector machine alone, from arrays to libsvm's text.
#include "cli/commands.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/report.hpp"

#include <wajah/convert/npy.hpp>
#include <wajah/error.hpp>
#include <wajah/file.hpp>
#include <wajah/svm/libsvm_file.hpp>
#include <wajah/svm/svm.hpp>
#include <wajah/text.hpp>

#include <boost/json.hpp>

#include <array>
#include <cstdint>

namespace wajah::cli {
namespace {

namespace json = boost::json;

struct Options {
  CommonOptions common;
  std::string features, labels, output;
  std::string kernel = "linear";
  svm::SvmOptions svm;
};

svm::KernelKind kernel_of(std::string_view name) {
  if (name == "linear") return svm::KernelKind::linear;
  if (name == "rbf") return svm::KernelKind::rbf;
  fail(ErrorKind::usage, "--kernel {}: expected linear or rbf", quote(name));
}

std::vector<float> read_features(const std::string& name, std::size_t& columns) {
  const NpyArray array = read_npy(name);
  if (array.shape.size() != 2 || array.shape[1] < 1) {
    fail(ErrorKind::input, "{}: shape {}, features are [n, d]", name, shape_text(array.shape));
  }
  columns = static_cast<std::size_t>(array.shape[1]);
  return array.values<float>();
}

std::vector<int> read_labels(const std::string& name) {
  const NpyArray array = read_npy(name);
  if (array.shape.size() != 1) fail(ErrorKind::input, "{}: shape {}, labels are [n]", name, shape_text(array.shape));
  if (array.type != DataType::i32 && array.type != DataType::i64) {
    fail(ErrorKind::input, "{}: elements of type {}, labels are int32 or int64", name, name_of(array.type));
  }
  return array.values<std::int32_t>();
}

void report(const Options& options, const svm::Svm& machine, double ms) {
  if (options.common.json) {
    print_json(json::object{{"output", options.output},
                            {"classes", machine.labels().size()},
                            {"support_vectors", machine.vectors()},
                            {"unconverged", machine.unconverged()},
                            {"ms", json::object{{"train", rounded(ms)}}}});
  } else {
    fmt::print("{}: {} classes, {} support vectors in {:.1f} ms\n", options.output, machine.labels().size(),
               machine.vectors(), ms);
  }
  if (machine.unconverged() > 0) {
    fmt::print(stderr,
               "wajah train: {} pairs of classes stopped at the iteration limit; a larger --tolerance or a "
               "smaller -C may help\n",
               machine.unconverged());
  }
}

int train(const Options& options) {
  std::size_t columns = 0;
  const std::vector<float> features = read_features(options.features, columns);
  const std::vector<int> labels = read_labels(options.labels);
  const svm::Problem problem(svm::rows_of(features, columns), labels);
  const Stopwatch watch;
  const svm::Svm machine = svm::Svm::train(problem, options.svm);
  const double ms = watch.milliseconds();
  const std::string model = svm::write_libsvm(machine);
  const std::array parts{std::as_bytes(std::span(model))};
  write_file(options.output, parts);
  report(options, machine, ms);
  return exit_yes;
}

int run(Arguments arguments) {
  Options options;
  OptionSet set("train --features X.npy --labels Y.npy --output M.model [options]",
                "Trains a support-vector machine (C-SVC, one against one) and writes it in libsvm's text format.");
  set.add("features", options.features, "X.npy", "float32 or float64 (n, d)");
  set.add("labels", options.labels, "Y.npy", "int32 or int64 (n)");
  set.add("output", options.output, "M.model", "the file to write");
  set.add("cost,C", options.svm.c, "C", "price of a training row on the wrong side");
  set.add("kernel", options.kernel, "linear|rbf", "kernel function");
  set.add("gamma", options.svm.gamma, "G", "of rbf; 0 = 1 / d");
  set.add("probability", options.svm.probability, "also fit Platt's sigmoids, for probabilities");
  set.add("tolerance", options.svm.tolerance, "E", "largest violation of optimality left");
  set.common(options.common, {.threads = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  for (const auto& [name, value] : {std::pair("features", &options.features), std::pair("labels", &options.labels),
                                    std::pair("output", &options.output)}) {
    if (value->empty()) fail(ErrorKind::usage, "--{} is missing", name);
  }
  check_threads(options.common);
  options.svm.threads = options.common.threads;
  options.svm.kernel = kernel_of(options.kernel);
  return train(options);
}

}  // namespace

const Command train_command{"train", "trains the support-vector machine alone", run};

}  // namespace wajah::cli
