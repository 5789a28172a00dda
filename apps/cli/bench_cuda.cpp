// wajah bench net --device cuda[:n]: a network on a card, input and output in the host's memory.
#include "cli/bench_nets.hpp"
#include "cli/bench_verbs.hpp"
#include "cli/cuda_options.hpp"
#include "cli/json_text.hpp"
#include "cli/random_weights.hpp"
#include "cli/timing.hpp"

#include <wajah/cuda_session.hpp>
#include <wajah/describe.hpp>

#include <boost/json.hpp>

namespace wajah::cli {

namespace json = boost::json;

void bench_net_on_cuda([[maybe_unused]] const std::string& net, [[maybe_unused]] const CommonOptions& common,
                       [[maybe_unused]] const std::vector<int>& batches, [[maybe_unused]] double seconds) {
  const Arithmetic arithmetic = arithmetic_of(common.precision);
  const Cuda cuda = make_cuda(parse_device(common.device), arithmetic);
#ifdef WAJAH_HAVE_CUDA
  with_float_net(net, [&]<class Net>(Shape image) {
    CudaSession<Net> session(std::make_shared<const Model<Net, Cuda>>(cuda, Weights::invented()));
    for (const int batch : batches) {
      const Shape shape = image.images(batch);
      std::uint64_t state = 3;
      const std::vector<float> x = random_values(shape.size(), 1, state);
      std::vector<float> y(Net::out(shape).size());
      const Timing timing = measure(seconds, [&] { session.forward({x.data(), shape}, {y.data(), Net::out(shape)}); });
      std::size_t macs = 0;
      for (const LayerInfo& layer : describe<Net>(shape)) macs += layer.macs;
      const double median = timing.median_ms / batch, rate = 2e-6 * static_cast<double>(macs) / timing.median_ms;
      if (common.json) {
        print_json(json::object{{"net", net},
                                {"device", cuda.facts().name},
                                {"precision", name_of(arithmetic)},
                                {"batch", batch},
                                {"median_ms_per_image", rounded(median, 5)},
                                {"min_ms_per_image", rounded(timing.min_ms / batch, 5)},
                                {"gflops", rounded(rate, 1)},
                                {"memory_bytes", session.device().memory().used}});
      } else {
        fmt::print("{} {} on {}  batch {:<3} median {:9.5f} ms/image  min {:9.5f}  {:8.1f} GFLOP/s  {} MB\n", net,
                   name_of(arithmetic), cuda.facts().name, batch, median, timing.min_ms / batch, rate,
                   session.device().memory().used >> 20U);
      }
    }
  });
#endif
}

}  // namespace wajah::cli
