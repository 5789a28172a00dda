#include "cli/devices.hpp"

#include "cli/cuda_options.hpp"

#include <wajah/cpu_half.hpp>
#include <wajah/error.hpp>

#include <cstdio>
#include <utility>

namespace wajah::cli {
namespace {

bool is_of_a_card(std::string_view precision) {
  return precision == wajah::name_of(Arithmetic::tf32) || precision == wajah::name_of(Arithmetic::bf16);
}

struct Chosen {
  std::optional<Cuda> cuda;
  std::string why;
};

Chosen choose(const CommonOptions& options, const CudaDriver& driver) {
  if (const auto reason = why_not_cuda(0, driver)) return {std::nullopt, *reason};
  try {
    Cuda cuda({0, options.gpu_memory_fraction, arithmetic_on_card(options)}, driver);
    fmt::print(stderr, "wajah: --device auto: computing on {}\n", cuda.facts().name);
    return {std::move(cuda), "a card was found"};
  } catch (const Error& error) {
    if (!of_device(error.kind())) throw;
    fmt::print(stderr, "wajah: --device auto: computing on the CPU: {}\n", error.what());
    return {std::nullopt, error.what()};
  }
}

// Of the embedder that stands in for a card's: bytes for bytes, so that what both embed is equally coarse; for all else
// fp32, which every CPU has.
Precision precision_beside(const Cuda& cuda) {
  return cuda.launch().arithmetic == Arithmetic::int8 ? Precision::int8 : Precision::fp32;
}

// On the CPU, where tf32 and the like are missing for want of a card.
Precision precision_on_cpu(const CommonOptions& options, const std::string& why) {
  const bool halves = options.precision == "fp16";
  if (halves && !has_half_arithmetic()) {
    fail(ErrorKind::device, "--precision fp16: needs a CPU with AVX512-FP16 or a CUDA card, and {}", why);
  }
  if (!halves && is_of_a_card(options.precision)) {
    fail(ErrorKind::device, "--precision {}: needs a CUDA card, and {}", options.precision, why);
  }
  return precision_of(options);
}

}  // namespace

Devices make_devices(const CommonOptions& options, const CudaDriver& driver) {
  const DeviceChoice choice = parse_device(options.device);
  check_threads(options);
  if (choice.kind == DeviceChoice::Kind::cuda) {
    const Cuda cuda({choice.card, options.gpu_memory_fraction, arithmetic_on_card(options)}, driver);
    return {Cpu(options.threads), cuda, precision_beside(cuda), {}};
  }
  if (choice.kind == DeviceChoice::Kind::cpu) return {Cpu(options.threads), {}, precision_of(options), {}};
  Chosen chosen = choose(options, driver);
  const Precision precision = chosen.cuda ? precision_beside(*chosen.cuda) : precision_on_cpu(options, chosen.why);
  return {Cpu(options.threads), std::move(chosen.cuda), precision, std::move(chosen.why)};
}

std::string name_of(const Devices& devices) {
  if (!devices.cuda) return fmt::format("cpu/{}", wajah::name_of(devices.cpu.isa()));
  return fmt::format("cuda:{} ({}), {}", devices.cuda->card(), devices.cuda->facts().name,
                     wajah::name_of(devices.cuda->launch().arithmetic));
}

}  // namespace wajah::cli
