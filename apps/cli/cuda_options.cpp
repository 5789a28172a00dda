#include "cli/cuda_options.hpp"

#include <wajah/error.hpp>
#include <wajah/text.hpp>

namespace wajah::cli {

Arithmetic arithmetic_of(const std::string& precision) {
  if (precision == "auto") return Arithmetic::fp32;
  for (const Arithmetic a :
       {Arithmetic::fp32, Arithmetic::tf32, Arithmetic::fp16, Arithmetic::bf16, Arithmetic::int8}) {
    if (precision == name_of(a)) return a;
  }
  fail(ErrorKind::usage, "--precision {}: on a CUDA card expected auto, fp32, tf32, fp16, bf16 or int8",
       quote(precision));
}

Arithmetic arithmetic_on_card(const CommonOptions& options) {
  const Arithmetic arithmetic = arithmetic_of(options.precision);
  if (wants_defined_sums(options)) {
    fail(ErrorKind::device, "--exact direct: sums as they are defined are the CPU's");
  }
  return arithmetic;
}

Cuda make_cuda(const DeviceChoice& choice, double memory_fraction, Arithmetic arithmetic) {
  return Cuda({choice.card, memory_fraction, arithmetic, std::chrono::minutes(10)});
}

CudaConv parse_cuda_conv(const std::string& text) {
  if (text == "own") return CudaConv::own;
  if (text == "cudnn") return CudaConv::cudnn;
  fail(ErrorKind::usage, "--cuda-conv {}: expected own or cudnn", quote(text));
}

void require_on_card(CudaConv conv, Arithmetic arithmetic) {
  if (conv == CudaConv::cudnn && arithmetic == Arithmetic::int8) {
    fail(ErrorKind::usage,
         "--precision int8: cuDNN stands in for convolutions of floats here, those on bytes are wajah's own; leave "
         "--cuda-conv cudnn out, or compare in fp16");
  }
}

}  // namespace wajah::cli
