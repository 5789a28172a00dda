// wajah bench net --device cuda[:n]: a network on a card, with input and output in the host's memory or on the card.
#include "cli/bench_nets.hpp"
#include "cli/bench_verbs.hpp"
#include "cli/cuda_options.hpp"
#include "cli/json_text.hpp"
#include "cli/kernel_report.hpp"
#include "cli/random_weights.hpp"
#include "cli/timing.hpp"

#include <wajah/convert/open.hpp>
#include <wajah/cuda_session.hpp>
#include <wajah/cudnn.hpp>
#include <wajah/describe.hpp>
#include <wajah/networks/on_card.hpp>
#include <wajah/ranges.hpp>

#include <boost/json.hpp>

namespace wajah::cli {

namespace json = boost::json;

#ifdef WAJAH_HAVE_CUDA

namespace {

struct Settings {
  const std::string& net;
  const CardOptions& card;
  const std::vector<int>& batches;
  double seconds;
  const Weights& weights;
  Arithmetic arithmetic;
  bool json;
};

// Whether residual blocks may be one launch; how many of cuDNN's plans did all of a convolution, and how many the sums
// alone.
std::string plans_of(const Cuda& device) { return wants_fused_blocks(device) ? "  may fuse residual blocks" : ""; }
std::string plans_of(const WithCudnn<Cuda>& device) {
  const auto [whole, sums] = device.plans().count();
  return fmt::format("  cuDNN {}: {} plans, {} of them for sums alone", device.plans().driver().version(), whole + sums,
                     sums);
}

template <class Device>
void print(const Settings& settings, const Device& device, int batch, const Timing& timing, std::size_t macs) {
  const double median = timing.median_ms / batch, min = timing.min_ms / batch;
  const double rate = 2e-6 * static_cast<double>(macs) / timing.median_ms;
  const Cuda::MemoryUse memory = device.memory();
  if (settings.json) {
    print_json(json::object{{"net", settings.net},
                            {"device", device.facts().name},
                            {"isa", fmt::format("sm_{}{}", device.facts().major, device.facts().minor)},
                            {"precision", name_of(settings.arithmetic)},
                            {"threads", 1},
                            {"cuda_conv", settings.card.conv},
                            {"input", settings.card.input},
                            {"fuses_blocks", wants_fused_blocks(device)},
                            {"batch", batch},
                            {"median_ms_per_image", rounded(median, 5)},
                            {"min_ms_per_image", rounded(min, 5)},
                            {"spread", rounded(timing.spread)},
                            {"gflops", rounded(rate, 1)},
                            {"peak_fraction", nullptr},
                            {"memory_bytes", memory.used}});
    return;
  }
  fmt::print("{} {} on {}  batch {:<3} median {:9.5f} ms/image  min {:9.5f}  {:8.1f} GFLOP/s  {} MB{}\n", settings.net,
             name_of(settings.arithmetic), device.facts().name, batch, median, min, rate, memory.used >> 20U,
             plans_of(device));
}

std::vector<float> input_of(Shape shape) {
  std::uint64_t state = 3;
  return random_values(shape.size(), 1, state);
}

template <class Net, class Device>
Timing from_host(CudaSession<Net, Device>& session, Shape shape, double seconds) {
  const std::vector<float> x = input_of(shape);
  std::vector<float> y(Net::out(shape).size());
  return measure(seconds, [&] { session.forward({x.data(), shape}, {y.data(), Net::out(shape)}); });
}

// Numbers that lie on the card: one graph, launched and waited for.
template <class Net, class Device>
Timing from_card(const Net& net, const Device& device, Shape shape, double seconds) {
  const std::vector<float> values = input_of(shape);
  const Buffer x = device.uploaded(values.data(), values.size() * sizeof(float));
  const Buffer y = device.allocate(bytes_of(Net::out(shape))), scratch = device.allocate(Net::workspace(shape));
  const auto forward = [&] {
    net.forward(device, ConstView<float>(x.template as<float>(), shape),
                View<float>(y.template as<float>(), Net::out(shape)), scratch.arena());
  };
  forward();  // a kernel's first launch loads it, which a capture must not
  const CudaGraph graph = device.capture(forward);
  return measure(seconds, [&] {
    graph.launch();
    device.wait();
  });
}

template <class Net, class Device>
void time_net(const Settings& settings, const Device& device, Shape image) {
  const auto model = std::make_shared<const Model<Net, Device>>(device, settings.weights);
  CudaSession<Net, Device> session(model);
  for (const int batch : settings.batches) {
    const Shape shape = image.images(batch);
    const Timing timing = settings.card.input == "card"
                              ? from_card(model->net(), session.device(), shape, settings.seconds)
                              : from_host(session, shape, settings.seconds);
    std::size_t macs = 0;
    for (const LayerInfo& layer : describe<Net>(shape)) macs += layer.macs;
    print(settings, session.device(), batch, timing, macs);
  }
}

// Those of the file, else made-up ones: only the time counts. Ranges that were made up as well would leave many maps
// empty, whose products cost a card less power.
Weights weights_on_card(const std::string& net, const std::string& file, Arithmetic arithmetic) {
  if (!file.empty()) return arithmetic == Arithmetic::int8 ? with_ranges(open_embedder(file)) : open_embedder(file);
  if (arithmetic != Arithmetic::int8) return Weights::invented();
  return with_float_net(net, []<class Net>(Shape image) { return random_weights<OnBytes<Net>>(image); });
}

}  // namespace

#endif

void check_card_options(const CardOptions& options, bool on_card) {
  const bool cudnn = parse_cuda_conv(options.conv) == CudaConv::cudnn;
  if (options.input != "host" && options.input != "card") {
    fail(ErrorKind::usage, "--input {}: expected host or card", quote(options.input));
  }
  const char* const given = cudnn                     ? "--cuda-conv cudnn"
                            : options.input == "card" ? "--input card"
                            : options.kernels         ? "--kernels"
                                                      : nullptr;
  if (given != nullptr && !on_card) fail(ErrorKind::usage, "{}: needs --device cuda", given);
  if (options.kernels && cudnn) fail(ErrorKind::usage, "--kernels: times wajah's own, not --cuda-conv cudnn");
}

void bench_net_on_cuda([[maybe_unused]] const std::string& net, const CommonOptions& common,
                       [[maybe_unused]] const CardOptions& card, [[maybe_unused]] const std::vector<int>& batches,
                       [[maybe_unused]] double seconds) {
  const Arithmetic arithmetic = arithmetic_on_card(common);
  const CudaConv conv = parse_cuda_conv(card.conv);
  require_on_card(conv, arithmetic);
  if (arithmetic == Arithmetic::int8) require_int8_form(net);
  const Cuda cuda = make_cuda(parse_device(common.device), common.gpu_memory_fraction, arithmetic);
#ifdef WAJAH_HAVE_CUDA
  const Weights weights = weights_on_card(net, common.weights, arithmetic);
  if (card.kernels) return report_kernels(net, cuda, weights, batches, common.json);
  const Settings settings{net, card, batches, seconds, weights, arithmetic, common.json};
  with_float_net(net, [&]<class Net>(Shape image) {
    if (conv == CudaConv::cudnn) return time_net<Net>(settings, WithCudnn<Cuda>(cuda), image);
    with_form_on_card<Net>(arithmetic, [&]<class Form>() { time_net<Form>(settings, cuda, image); });
  });
#endif
}

}  // namespace wajah::cli
