#include "cli/kernel_report.hpp"

#include "cli/bench_nets.hpp"
#include "cli/json_text.hpp"

#include <wajah/model.hpp>
#include <wajah/networks/on_card.hpp>

namespace wajah::cli {

namespace json = boost::json;

namespace {

double total_ms(const std::vector<KernelSum>& sums) {
  double total = 0;
  for (const KernelSum& sum : sums) total += sum.ms;
  return total;
}

std::string percent(double rate, double peak) {
  return peak > 0 ? fmt::format("{:5.1f} %", 100 * rate / peak) : std::string("  ?    ");
}

std::string why(const KernelReport& report, std::size_t i) {
  return i < explained_kernels ? reason(report.sums[i], report.peaks) : std::string();
}

}  // namespace

std::string text_of(const KernelReport& report) {
  const double total = total_ms(report.sums);
  std::size_t launches = 0;
  for (const KernelSum& sum : report.sums) launches += sum.launches;
  std::string text = fmt::format(
      "{} {} on {}, batch {}: {} launches, {:.4f} ms together\npeaks by its clocks ({:.2f} GHz, {:.0f} GB/s): {:.1f} "
      "TFLOP/s in fp32, {:.0f} in tf32, {:.0f} in 16 bits, {:.0f} in int8\n",
      report.net, report.precision, report.card, report.batch, launches, total, report.rates.gigahertz,
      report.rates.memory_gigabytes, 1e-3 * report.peaks.gflops_of(Arithmetic::fp32),
      1e-3 * report.peaks.gflops_of(Arithmetic::tf32), 1e-3 * report.peaks.gflops_of(Arithmetic::fp16),
      1e-3 * report.peaks.gflops_of(Arithmetic::int8));
  for (std::size_t i = 0; i < report.sums.size(); ++i) {
    const KernelSum& sum = report.sums[i];
    text += fmt::format("{:5.1f} %  {:>3} x {:8.2f} us  {:9.1f} GFLOP/s {}  {:7.1f} GB/s {}  {}\n",
                        total > 0 ? 100 * sum.ms / total : 0, sum.launches,
                        1e3 * sum.ms / static_cast<double>(sum.launches), sum.gflops(),
                        percent(sum.gflops(), report.peaks.gflops_of(sum.arithmetic)), sum.gigabytes(),
                        percent(sum.gigabytes(), report.peaks.gigabytes), sum.kernel);
    if (const std::string because = why(report, i); !because.empty()) text += fmt::format("         {}\n", because);
  }
  return text;
}

std::vector<json::object> json_of(const KernelReport& report) {
  const double total = total_ms(report.sums);
  std::vector<json::object> lines;
  for (std::size_t i = 0; i < report.sums.size(); ++i) {
    const KernelSum& sum = report.sums[i];
    lines.push_back({{"net", report.net},
                     {"device", report.card},
                     {"precision", report.precision},
                     {"batch", report.batch},
                     {"kernel", sum.kernel},
                     {"launches", sum.launches},
                     {"blocks", sum.blocks},
                     {"ms", rounded(sum.ms, 5)},
                     {"share", rounded(total > 0 ? sum.ms / total : 0, 4)},
                     {"arithmetic", name_of(sum.arithmetic)},
                     {"gflops", rounded(sum.gflops(), 1)},
                     {"peak_gflops", rounded(report.peaks.gflops_of(sum.arithmetic), 1)},
                     {"gigabytes_per_second", rounded(sum.gigabytes(), 1)},
                     {"peak_gigabytes_per_second", rounded(report.peaks.gigabytes, 1)},
                     {"peak_fraction", rounded(peak_share(sum, report.peaks), 4)},
                     {"why", why(report, i)}});
  }
  return lines;
}

#ifdef WAJAH_HAVE_CUDA

void report_kernels(const std::string& net, const Cuda& cuda, const Weights& weights, const std::vector<int>& batches,
                    bool as_json) {
  constexpr int runs = 30;
  const Arithmetic arithmetic = cuda.launch().arithmetic;
  KernelReport report{net, std::string(name_of(arithmetic)), cuda.facts().name, 1, rates_of(cuda), {}, {}};
  report.peaks = peaks_of(cuda.facts(), report.rates);
  with_float_net(net, [&]<class Net>(Shape image) {
    with_form_on_card<Net>(arithmetic, [&]<class Form>() {
      const Model<Form, Cuda> model(cuda, weights);
      for (const int batch : batches) {
        report.batch = batch;
        report.sums = time_kernels(model.net(), cuda, image.images(batch), runs);
        if (!as_json) fmt::print("{}", text_of(report));
        if (as_json) {
          for (const json::object& line : json_of(report)) print_json(line);
        }
      }
    });
  });
}

#endif

}  // namespace wajah::cli
