// wajah bench --check A,B: the same network on two devices, and how far their outputs lie apart.
#include "cli/bench_nets.hpp"
#include "cli/bench_verbs.hpp"
#include "cli/commands.hpp"
#include "cli/cuda_options.hpp"
#include "cli/json_text.hpp"
#include "cli/random_weights.hpp"
#include "cli/report.hpp"
#include "cli/timing.hpp"

#include <wajah/cuda_session.hpp>
#include <wajah/cudnn.hpp>
#include <wajah/layers/byte_steps.hpp>
#include <wajah/model.hpp>
#include <wajah/networks/on_card.hpp>
#include <wajah/seen_ranges.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace wajah::cli {
namespace {

namespace json = boost::json;

struct Options {
  CommonOptions common;
  std::string net = "inception-resnet-v1", cuda_conv = "own";
  std::size_t batch = 1;
  double tolerance = 1e-3;
  std::vector<std::string> devices;
};

// What both devices are given. In int8 the ranges are those that the maps have on x itself, on a CPU.
struct Given {
  Shape shape;
  std::vector<float> x;
  Weights weights;
};

template <class Net>
Given given_to(Shape shape, bool bytes) {
  std::uint64_t state = 3;
  Given given{shape, random_values(shape.size(), 1, state), Weights::invented()};
  if (bytes) {
    const Weights weights = random_weights<Net>(shape.images(1), calm_spread);
    given.weights = with_ranges(with_ranges_seen_on<Net, OnBytes<Net>>(weights, Cpu(1), {given.x.data(), shape}));
  }
  return given;
}

template <class Net>
std::vector<float> on_cpu(const Cpu& cpu, const Given& given) {
  Session<Net, Cpu> session(std::make_shared<const Model<Net, Cpu>>(cpu, given.weights));
  const View<float> y = session.forward({given.x.data(), given.shape});
  return {y.data, y.data + y.shape.size()};
}

#ifdef WAJAH_HAVE_CUDA
template <class Net, class Device>
std::vector<float> on_card(const Device& device, const Given& given) {
  std::vector<float> y(Net::out(given.shape).size());
  CudaSession<Net, Device> session(std::make_shared<const Model<Net, Device>>(device, given.weights));
  session.forward({given.x.data(), given.shape}, {y.data(), Net::out(given.shape)});
  return y;
}
#endif

template <class Net>
std::vector<float> on_cuda(const DeviceChoice& choice, const CommonOptions& options, [[maybe_unused]] CudaConv conv,
                           [[maybe_unused]] const Given& given) {
  const Arithmetic arithmetic = arithmetic_of(options.precision);
  const Cuda cuda = make_cuda(choice, options.gpu_memory_fraction, arithmetic);
#ifdef WAJAH_HAVE_CUDA
  if (conv == CudaConv::cudnn) return on_card<Net>(WithCudnn<Cuda>(cuda), given);
  return with_form_on_card<Net>(arithmetic, [&]<class Form>() { return on_card<Form>(cuda, given); });
#else
  return {};
#endif
}

bool in_bytes(const Options& options) { return options.common.precision == name_of(Arithmetic::int8); }

// What "cpu" is in int8: an instruction set with bytes of all 8 bits and weights of 127 steps, as a card has them. With
// fewer, it would be the steps that are compared.
Isa isa_for_bytes() { return sums_in_16_bits(chosen_isa()) ? Isa::scalar : chosen_isa(); }

bool is_cudnn(const std::string& device) { return device == "cudnn" || device.starts_with("cudnn:"); }
bool is_card(const std::string& device) { return device.starts_with("cuda") || is_cudnn(device); }

// "cpu", "cpu:scalar", "cuda", "cuda:1", and "cudnn", "cudnn:1": the same card with cuDNN's convolutions.
template <class Net>
std::vector<float> compute(const std::string& device, const Options& options, const Given& given) {
  if (device == "cpu" || device.starts_with("cpu:")) {
    const Cpu cpu(1, device == "cpu" ? chosen_isa() : parse_isa(device.substr(4)));
    return in_bytes(options) ? on_cpu<OnBytes<Net>>(cpu, given) : on_cpu<Net>(cpu, given);
  }
  if (!is_card(device)) {
    fail(ErrorKind::usage, "--check: {} is no device, expected cpu, cpu:ISA, cuda[:n] or cudnn[:n]", quote(device));
  }
  const DeviceChoice choice = parse_device(is_cudnn(device) ? "cuda" + device.substr(5) : device);
  const CudaConv conv = is_cudnn(device) ? CudaConv::cudnn : parse_cuda_conv(options.cuda_conv);
  return on_cuda<Net>(choice, options.common, conv, given);
}

// Differences as shares of the largest output, counted by powers of ten.
struct Difference {
  static constexpr int bins = 8;  // none, then up to 1e-7, 1e-6, ... 1e-2, and more

  Difference(const std::vector<float>& a, const std::vector<float>& b) {
    double largest = 0;
    for (const float value : b) largest = std::max(largest, std::abs(double{value}));
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double d = std::abs(double{a[i]} - double{b[i]}) / (largest > 0 ? largest : 1);
      worst = std::isnan(d) ? INFINITY : std::max(worst, d);
      const int bin = d == 0          ? 0
                      : std::isnan(d) ? bins - 1
                                      : std::clamp(static_cast<int>(std::ceil(std::log10(d))) + 8, 1, bins - 1);
      ++counts[static_cast<std::size_t>(bin)];
    }
  }

  double worst = 0;
  std::array<std::size_t, bins> counts{};
};

void print(const Options& options, Shape shape, const Difference& difference) {
  std::size_t all = 0;
  for (const std::size_t count : difference.counts) all += count;
  if (options.common.json) {
    json::array counts;
    for (const std::size_t count : difference.counts) counts.push_back(count);
    print_json(json::object{{"net", options.net},
                            {"batch", shape.n},
                            {"devices", json::value_from(options.devices)},
                            {"precision", options.common.precision},
                            {"worst", difference.worst},
                            {"tolerance", options.tolerance},
                            {"counts", counts}});
    return;
  }
  constexpr std::array labels{"     equal", "  to 1e-7", "  to 1e-6", "  to 1e-5",
                              "  to 1e-4",  "  to 1e-3", "  to 1e-2", "      more"};
  fmt::print("{}, {} image{}, {} against {}{}: {} numbers, differences as shares of the largest\n", options.net,
             shape.n, shape.n == 1 ? "" : "s", options.devices[0], options.devices[1],
             in_bytes(options) ? ", both in int8" : "", all);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::size_t stars = all == 0 ? 0 : (difference.counts[i] * 50 + all - 1) / all;
    fmt::print("{:>10}  {:>9}  {}\n", labels[i], difference.counts[i], std::string(stars, '*'));
  }
  fmt::print("worst {:.2e}, {} {:.1e}\n", difference.worst,
             difference.worst <= options.tolerance ? "within" : "MORE THAN", options.tolerance);
}

// What would be taken no notice of.
void check(const Options& options) {
  const bool card = std::ranges::any_of(options.devices, is_card);
  const std::string& precision = options.common.precision;
  if (options.common.given.contains("device")) {
    fail(ErrorKind::usage, "--device {}: the two devices are named by --check", options.common.device);
  }
  if (!card && precision != "fp32" && precision != "auto" && !in_bytes(options)) {
    fail(ErrorKind::usage,
         "--precision {}: is what a card computes in, and {} and {} are none; CPUs compute in fp32 here, or in int8",
         quote(precision), options.devices[0], options.devices[1]);
  }
  if (in_bytes(options)) require_int8_form(options.net);
  if (wants_defined_sums(options.common)) {
    fail(ErrorKind::usage, "--exact direct: is what --check always does");
  }
  const CudaConv conv = parse_cuda_conv(options.cuda_conv);
  if (conv == CudaConv::cudnn && !card) fail(ErrorKind::usage, "--cuda-conv cudnn: needs a device cuda");
  if (card) {
    const bool cudnn = std::ranges::any_of(options.devices, is_cudnn);
    require_on_card(cudnn ? CudaConv::cudnn : conv, arithmetic_of(precision));
  }
  check_count("batch", options.batch, 1, 4096);
  if (!(options.tolerance >= 0 && options.tolerance < INFINITY)) {
    fail(ErrorKind::usage, "--tolerance {}: expected 0 or more", options.tolerance);
  }
}

}  // namespace

int bench_check(Arguments arguments) {
  Options options;
  options.common.precision = "fp32";
  OptionSet set(
      "bench --check DEVICE,DEVICE [options]",
      "Computes a network on two devices (cpu, cpu:ISA, cuda[:n], cudnn[:n]) and prints how far apart they are.");
  std::vector<std::string> pair;
  const std::string names(net_names);
  set.add("net", options.net, names.c_str(), "the network");
  set.add("batch", options.batch, "N", "images at once");
  set.add("cuda-conv", options.cuda_conv, "own|cudnn", "whose convolutions a device cuda has; cudnn has cuDNN's");
  set.add("tolerance", options.tolerance, "T", "the largest difference that passes, as a share of the largest output");
  set.operands(pair, "DEVICE,DEVICE", 1, 1);
  set.common(options.common, {.kernels = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  const auto comma = pair[0].find(',');
  if (comma == std::string::npos) {
    fail(ErrorKind::usage, "--check {}: expected two devices, such as cuda,cpu", quote(pair[0]));
  }
  options.devices = {pair[0].substr(0, comma), pair[0].substr(comma + 1)};
  check(options);
  for (std::string& device : options.devices) {
    if (device == "cpu" && in_bytes(options)) device = fmt::format("cpu:{}", name_of(isa_for_bytes()));
  }
  double worst = 0;
  with_float_net(options.net, [&]<class Net>(Shape image) {
    const Shape shape = image.images(static_cast<int>(options.batch));
    const Given given = given_to<Net>(shape, in_bytes(options));
    const Difference difference(compute<Net>(options.devices[0], options, given),
                                compute<Net>(options.devices[1], options, given));
    print(options, shape, difference);
    worst = difference.worst;
  });
  return worst <= options.tolerance ? exit_yes : exit_no;
}

}  // namespace wajah::cli
