// wajah bench: how fast networks, their layers and the detector are here, and how near to what the machine can do.
#include "cli/bench_nets.hpp"
#include "cli/bench_verbs.hpp"
#include "cli/commands.hpp"
#include "cli/cuda_options.hpp"
#include "cli/fma_peak.hpp"
#include "cli/json_text.hpp"
#include "cli/layer_work.hpp"
#include "cli/options.hpp"
#include "cli/report.hpp"
#include "cli/signature.hpp"
#include "cli/stream_rate.hpp"
#include "cli/timing.hpp"
#include "cli/verbs.hpp"
#include "cli/weight_files.hpp"

#include <wajah/convert/open.hpp>
#include <wajah/cuda.hpp>
#include <wajah/describe.hpp>
#include <wajah/model.hpp>
#include <wajah/ranges.hpp>

#include <boost/json.hpp>

#include <stdlib.h>  // getloadavg

#include <algorithm>
#include <array>
#include <memory>
#include <typeinfo>

namespace wajah::cli {
namespace {

namespace json = boost::json;

struct Options {
  CommonOptions common;
  std::string net = "inception-resnet-v1";
  std::string batches = "1", threads = "1";
  CardOptions card;
  double seconds = 1;
};

Cpu device(const CommonOptions& common, int threads) {
  CommonOptions one = common;
  one.threads = threads;
  return make_device(one);
}

// What the figures that follow are to be held against.
void print_machine(const Cpu& cpu) {
  constexpr std::size_t more_than_caches_hold = std::size_t{256} << 20;
  std::array<double, 1> load{};
  (void)::getloadavg(load.data(), 1);
  const double reading = measure_reading(more_than_caches_hold, cpu.threads(), 0.2).median_ms;
  fmt::print("{}, {} thread{}: {:.0f} GFLOP/s of multiply-adds, {:.1f} GB/s of reading; load {:.2f}\n",
             name_of(cpu.isa()), cpu.threads(), cpu.threads() > 1 ? "s" : "",
             measure_fma_peak(cpu.isa(), cpu.threads()), 1e-6 * static_cast<double>(more_than_caches_hold) / reading,
             load[0]);
}

double gflops(std::size_t macs, double ms) { return 2e-6 * static_cast<double>(macs) / ms; }

// bench net

struct NetResult {
  const Options& options;
  Isa isa;
  int batch, threads;
  Timing timing;  // of a batch
  std::size_t macs;
  double peak;
};

void print(const NetResult& r) {
  const double median = r.timing.median_ms / r.batch, min = r.timing.min_ms / r.batch;
  const double rate = gflops(r.macs, r.timing.median_ms);
  if (r.options.common.json) {
    print_json(json::object{{"net", r.options.net},
                            {"device", "cpu"},
                            {"isa", name_of(r.isa)},
                            {"precision", name_of(precision_of(r.options.common))},
                            {"batch", r.batch},
                            {"threads", r.threads},
                            {"median_ms_per_image", rounded(median, 4)},
                            {"min_ms_per_image", rounded(min, 4)},
                            {"spread", rounded(r.timing.spread)},
                            {"gflops", rounded(rate, 1)},
                            {"peak_fraction", rounded(rate / r.peak)}});
  } else {
    fmt::print(
        "{} {}  batch {:<3} threads {:<2} median {:8.3f} ms/image  min {:8.3f}  spread {:4.1f} %  {:6.1f} GFLOP/s  "
        "{:4.1f} % of {:.0f}\n",
        r.options.net, name_of(precision_of(r.options.common)), r.batch, r.threads, median, min, 100 * r.timing.spread,
        rate, 100 * rate / r.peak, r.peak);
  }
}

// Those of --weights, else random ones: only the time counts.
template <class Net>
Weights weights_for(const Options& options, Shape image) {
  if (options.common.weights.empty()) return random_weights<Net>(image);
  const Weights weights = open_embedder(options.common.weights);
  return precision_of(options.common) == Precision::int8 ? with_ranges(weights) : weights;
}

template <class Net>
void bench_one_net(const Options& options, Shape image, int batch, int threads) {
  const Cpu cpu = device(options.common, threads);
  Session<Net, Cpu> session(std::make_shared<const Model<Net, Cpu>>(cpu, weights_for<Net>(options, image)));
  const Shape shape = image.images(batch);
  const std::vector<float> input = random_input(shape);
  const double peak = measure_fma_peak(cpu.isa(), cpu.threads());
  const Timing timing = measure(options.seconds, [&] { (void)session.forward({input.data(), shape}); });
  std::size_t macs = 0;
  for (const LayerInfo& layer : describe<Net>(shape)) macs += layer.macs;
  print({options, cpu.isa(), batch, cpu.threads(), timing, macs, peak});
}

int bench_net(Arguments arguments) {
  Options options;
  OptionSet set("bench net [options]",
                "Times a whole network on random input, and on random weights unless some are given.");
  const std::string names(net_names);
  set.add("net", options.net, names.c_str(), "the network");
  set.add("batch", options.batches, "N,N...", "images at once");
  set.add("threads", options.threads, "N,N...", "threads, 0 = all");
  set.add("seconds", options.seconds, "S", "how long to measure each setting");
  set.add("cuda-conv", options.card.conv, "own|cudnn", "whose convolutions, on a card");
  set.add("input", options.card.input, "host|card",
          "where input and output lie, on a card: host has them go up and down each time");
  set.add("kernels", options.card.kernels, "on a card: how long each kernel takes, of what the card could do");
  set.common(options.common, {.kernels = true, .weights = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  check_seconds(options.seconds);
  const bool on_card = parse_device(options.common.device).kind == DeviceChoice::Kind::cuda;
  check_card_options(options.card, on_card);
  const std::vector<int> batches = parse_counts("batch", options.batches, 1);
  const std::vector<int> threads = parse_counts("threads", options.threads, 0);
  if (on_card) {
    bench_net_on_cuda(options.net, options.common, options.card, batches, options.seconds);
    return exit_yes;
  }
  with_net(options.net, precision_of(options.common), [&]<class Net>(Shape image) {
    for (const int t : threads) {
      if (!options.common.json) print_machine(device(options.common, t));
      for (const int b : batches) bench_one_net<Net>(options, image, b, t);
    }
  });
  return exit_yes;
}

// bench layers

struct LayerResult {
  std::string name;  // of the first layer of this type and size
  const std::type_info* type;
  Shape in, out;
  std::size_t macs;
  int bytes_in, bytes_out;  // of a number of its maps
  int count = 1;
  Timing timing;
};

// Blocks repeat: a layer of one type and size is measured once and counted.
template <class Net>
std::vector<LayerResult> time_layers(const Cpu& cpu, Shape shape, double seconds) {
  std::vector<LayerResult> results;
  for_each_layer<Net>(shape, [&]<class Layer>(Shape in, const std::string& name) {
    const auto same = std::ranges::find_if(
        results, [&](const LayerResult& result) { return *result.type == typeid(Layer) && result.in == in; });
    if (same != results.end()) {
      ++same->count;
    } else {
      const LayerWork<Layer> work(cpu, in);
      const Timing timing = measure(seconds, [&] { work(); });
      results.push_back(
          {name, &typeid(Layer), in, Layer::out(in), Layer::macs(in), work.bytes_in, work.bytes_out, 1, timing});
    }
  });
  return results;
}

void print(const LayerResult& r, const Options& options, const Cpu& cpu, double total, double peak) {
  const double rate = gflops(r.macs, r.timing.median_ms);
  const double share = r.timing.median_ms * r.count / total;
  if (options.common.json) {
    print_json(json::object{{"net", options.net},
                            {"isa", name_of(cpu.isa())},
                            {"precision", name_of(precision_of(options.common))},
                            {"batch", r.in.n},
                            {"threads", cpu.threads()},
                            {"layer", r.name},
                            {"count", r.count},
                            {"in", json::array{r.in.n, r.in.h, r.in.w, r.in.c}},
                            {"out", json::array{r.out.n, r.out.h, r.out.w, r.out.c}},
                            {"bytes_in", r.bytes_in},
                            {"bytes_out", r.bytes_out},
                            {"median_ms", rounded(r.timing.median_ms, 5)},
                            {"min_ms", rounded(r.timing.min_ms, 5)},
                            {"spread", rounded(r.timing.spread)},
                            {"gflops", rounded(rate, 1)},
                            {"peak_fraction", rounded(rate / peak)},
                            {"share", rounded(share, 4)}});
  } else {
    fmt::print("{:<52} {:>2} x {:8.4f} ms  {:6.1f} GFLOP/s  {:5.1f} % of peak  {:5.1f} % of time\n", r.name, r.count,
               r.timing.median_ms, rate, 100 * rate / peak, 100 * share);
  }
}

int bench_layers(Arguments arguments) {
  Options options;
  options.seconds = 0.1;
  int batch = 1;
  OptionSet set("bench layers [options]", "Times every layer of a network by itself; those alike are timed once.");
  const std::string names(net_names);
  set.add("net", options.net, names.c_str(), "the network");
  set.add("batch", batch, "N", "images at once");
  set.add("seconds", options.seconds, "S", "how long to measure each layer");
  set.common(options.common, {.device = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  check_seconds(options.seconds);
  if (batch < 1) fail(ErrorKind::usage, "--batch {}: expected 1 or more", batch);
  const Cpu cpu = make_device(options.common);
  if (!options.common.json) print_machine(cpu);
  const double peak = measure_fma_peak(cpu.isa(), cpu.threads());
  const auto results = with_net(options.net, precision_of(options.common), [&]<class Net>(Shape image) {
    return time_layers<Net>(cpu, image.images(batch), options.seconds);
  });
  double total = 0;
  for (const LayerResult& result : results) total += result.timing.median_ms * result.count;
  for (const LayerResult& result : results) print(result, options, cpu, total, peak);
  if (!options.common.json) fmt::print("{} layers, {:.3f} ms together\n", results.size(), total);
  return exit_yes;
}

int run(Arguments arguments) {
  static constexpr std::array verbs{Command{"net", "a whole network", bench_net},
                                    Command{"layers", "every layer of a network", bench_layers},
                                    Command{"detect", "finding faces in pictures", bench_detect},
                                    Command{"recognise", "from a photo's bytes to names", bench_recognise},
                                    Command{"svm", "training the support-vector machine", bench_svm},
                                    Command{"search", "the nearest of many embeddings", bench_search},
                                    Command{"gallery", "a classifier of many people, and one more", bench_gallery},
                                    Command{"--check", "one network on two devices, compared", bench_check},
                                    Command{"--signature", "one hash of what the networks compute", print_signature}};
  return run_verb("bench", "Measures speed, beside the peak of multiply-adds measured in the same process.", verbs,
                  arguments);
}

}  // namespace

const Command bench_command{"bench", "measures speed", run};

}  // namespace wajah::cli
