#include "cli/kernel_times.hpp"

#include <wajah/error.hpp>
#include <wajah/layers/cuda_format.hpp>

#include <algorithm>
#include <map>

namespace wajah::cli {
namespace {

std::size_t word_bytes(Arithmetic arithmetic) {
  return arithmetic == Arithmetic::fp16 || arithmetic == Arithmetic::bf16 ? 2 : 4;
}

struct ConvBytes {
  std::size_t x, y, add, weight;  // of one number
};

Operation conv(Shape x, Shape y, Window window, bool adds, Arithmetic arithmetic, const ConvBytes& bytes) {
  const std::size_t weights = static_cast<std::size_t>(window.h) * static_cast<std::size_t>(window.w) *
                              static_cast<std::size_t>(x.c) * static_cast<std::size_t>(y.c);
  const std::size_t written = y.size() * bytes.y;
  return {y.pixels() * weights,
          x.size() * bytes.x + written + (adds ? y.size() * bytes.add : 0) + weights * bytes.weight, written, y.c,
          arithmetic};
}

// A window for each channel.
Operation depthwise(Shape x, Shape y, Window window, std::size_t bytes_of_x, std::size_t bytes_of_y) {
  const std::size_t taps = static_cast<std::size_t>(window.h) * static_cast<std::size_t>(window.w);
  const std::size_t written = y.size() * bytes_of_y;
  return {y.size() * taps, x.size() * bytes_of_x + written + taps * static_cast<std::size_t>(y.c) * sizeof(float),
          written, y.c, Arithmetic::fp32};
}

template <class Args>
Operation fused(const Args& args, Arithmetic arithmetic, std::size_t word) {
  const FusedPlan& plan = fused_plans[args.plan];
  const auto repeats = static_cast<std::size_t>(args.repeats);
  std::size_t weights = 0;
  for (int i = 0; i < plan.convs_count; ++i) {
    const FusedConv& c = plan.convs[i];
    weights += static_cast<std::size_t>(c.window.h) * static_cast<std::size_t>(c.window.w) *
               static_cast<std::size_t>(c.in) * static_cast<std::size_t>(c.out);
  }
  const std::size_t written = args.y.shape.size() * word;
  return {args.y.shape.pixels() * weights * repeats, 2 * written + weights * repeats * word_bytes(arithmetic), written,
          args.y.shape.c, arithmetic};
}

}  // namespace

Operation operation_of(const Conv2dArgs& args, Arithmetic arithmetic) {
  const Arithmetic format = weight_format(arithmetic, args.x.shape.c, args.y.shape.c);
  return conv(args.x.shape, args.y.shape, args.window, args.epilogue.add.data != nullptr, format,
              {4, 4, 4, word_bytes(format)});
}
Operation operation_of(const Conv2dHalfArgs& args, Arithmetic arithmetic) {
  return conv(args.x.shape, args.y.shape, args.window, args.epilogue.add.data != nullptr, arithmetic,
              {2, args.floats == nullptr ? 2U : 4U, 2, 2});
}
Operation operation_of(const Conv2dToHalfArgs& args, Arithmetic) {
  return conv(args.x.shape, args.y.shape, args.window, args.epilogue.add.data != nullptr, Arithmetic::fp32,
              {4, 2, 2, 4});
}
Operation operation_of(const Conv2dInt8Args& args, Arithmetic) {
  const std::size_t floats = args.bytes == nullptr ? 4 : 0, bytes = args.bytes != nullptr || args.copy.data != nullptr;
  return conv(args.x.shape, args.y.shape, args.window, args.epilogue.add.data != nullptr, Arithmetic::int8,
              {1, floats + bytes, 4, 1});
}
Operation operation_of(const DepthwiseConv2dArgs& args, Arithmetic) {
  return depthwise(args.x.shape, args.y.shape, args.window, 4, 4);
}
Operation operation_of(const DepthwiseConv2dHalfArgs& args, Arithmetic) {
  return depthwise(args.x.shape, args.y.shape, args.window, 2, 2);
}
Operation operation_of(const DepthwiseConv2dInt8Args& args, Arithmetic) {
  return depthwise(args.x.shape, args.y.shape, args.window, 1, args.bytes == nullptr ? 4 : 1);
}
Operation operation_of(const FusedBlocksArgs& args, Arithmetic arithmetic) { return fused(args, arithmetic, 4); }
Operation operation_of(const FusedBlocksHalfArgs& args, Arithmetic arithmetic) { return fused(args, arithmetic, 2); }

std::vector<KernelSum> sum_by_kernel(std::span<const LaunchFacts> launches, std::span<const Operation> operations,
                                     std::span<const std::vector<double>> runs) {
  std::map<std::string, KernelSum> sums;
  std::size_t before = 0;  // operations that have begun
  for (std::size_t i = 0; i < launches.size(); ++i) {
    const LaunchFacts& launch = launches[i];
    const bool first = launch.operation != before;
    before = launch.operation;
    // What follows the first launch of an operation adds up what several of its blocks made.
    if (launch.operation == 0 || launch.operation > operations.size() ||
        (!first && launch.kernel.find("finish") == std::string::npos)) {
      fail(ErrorKind::device, "kernel {}: launch {} belongs to no operation that is known here", launch.kernel, i);
    }
    const Operation& operation = operations[launch.operation - 1];
    std::vector<double> times;
    for (const std::vector<double>& run : runs) times.push_back(run[i]);
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::ranges::nth_element(times, middle);
    KernelSum& sum = sums[launch.kernel];
    sum.kernel = launch.kernel;
    ++sum.launches;
    sum.blocks += launch.blocks;
    sum.ms += *middle;
    sum.macs += first ? operation.macs : 0;
    sum.bytes += first ? operation.bytes : operation.written;
    sum.columns = sum.columns == 0 ? operation.columns : std::min(sum.columns, operation.columns);
    sum.arithmetic = operation.arithmetic;
  }
  std::vector<KernelSum> sorted;
  for (auto& [name, sum] : sums) sorted.push_back(std::move(sum));
  std::ranges::sort(sorted, std::ranges::greater{}, &KernelSum::ms);
  return sorted;
}

CardPeaks peaks_of(const CudaFacts& facts, const CardRates& rates) {
  struct Generation {
    int major, minor;
    double ffma, halves;  // multiply-adds a clock and multiprocessor: CUDA cores; tensor cores in 16 bits, dense.
                          // Of bytes twice, of TF32 half as many on all of them (NVIDIA's tables of each generation).
  };
  constexpr Generation generations[] = {{8, 0, 64, 1024}, {8, 6, 128, 512}, {8, 9, 128, 512}, {9, 0, 128, 2048}};
  CardPeaks peaks;
  peaks.processors = facts.processors;
  peaks.gigabytes = rates.memory_gigabytes;
  for (const Generation& g : generations) {
    if (g.major != facts.major || g.minor != facts.minor) continue;
    const double clocks = 2 * rates.gigahertz * facts.processors;
    peaks.gflops[static_cast<std::size_t>(Arithmetic::fp32)] = clocks * g.ffma;
    peaks.gflops[static_cast<std::size_t>(Arithmetic::tf32)] = clocks * g.halves / 2;
    peaks.gflops[static_cast<std::size_t>(Arithmetic::fp16)] = clocks * g.halves;
    peaks.gflops[static_cast<std::size_t>(Arithmetic::bf16)] = clocks * g.halves;
    peaks.gflops[static_cast<std::size_t>(Arithmetic::int8)] = clocks * g.halves * 2;
  }
  return peaks;
}

namespace {

double share(double rate, double peak) { return peak > 0 ? rate / peak : 0; }

}  // namespace

double peak_share(const KernelSum& sum, const CardPeaks& peaks) {
  return std::max(share(sum.gflops(), peaks.gflops_of(sum.arithmetic)), share(sum.gigabytes(), peaks.gigabytes));
}

std::string reason(const KernelSum& sum, const CardPeaks& peaks) {
  constexpr double enough = 0.5, short_us = 6;
  constexpr int tile_columns = 64;
  if (peak_share(sum, peaks) >= enough) return {};
  const double us = 1e3 * sum.ms / static_cast<double>(sum.launches);
  const double blocks = static_cast<double>(sum.blocks) / static_cast<double>(sum.launches);
  const double flops_a_byte =
      2 * static_cast<double>(sum.macs) / static_cast<double>(std::max<std::size_t>(1, sum.bytes));
  if (blocks < peaks.processors) {
    return fmt::format("{:.0f} blocks a launch, so {:.0f} of {} multiprocessors have none", blocks,
                       peaks.processors - blocks, peaks.processors);
  }
  if (us < short_us) {
    return fmt::format("{:.1f} us a launch, of which beginning, ending and the event between are some 2 to 3", us);
  }
  if (sum.macs == 0) {
    return fmt::format("multiplies nothing; its maps pass at {:.0f} GB/s, many of them from the second cache",
                       sum.gigabytes());
  }
  const double ridge = peaks.gigabytes > 0 ? peaks.gflops_of(sum.arithmetic) / peaks.gigabytes : 0;
  if (flops_a_byte < ridge) {
    return fmt::format(
        "{:.0f} flop for each byte of maps and weights, where memory is as fast as products at {:.0f}; "
        "bytes pass at {:.0f} GB/s",
        flops_a_byte, ridge, sum.gigabytes());
  }
  if (sum.columns < tile_columns) {
    return fmt::format("as few as {} output channels, of {} columns that a tile has", sum.columns, tile_columns);
  }
  const double rounds = blocks / peaks.processors;
  if (rounds < 4) {
    return fmt::format("{:.1f} blocks a multiprocessor: the last of them leave others idle", rounds);
  }
  return "its sizes do not say why; look at it with ncu";
}

}  // namespace wajah::cli
