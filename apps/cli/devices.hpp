// Where a command computes: on the CPU, or on a card, where one is asked for or can be had.
#pragma once

#include "cli/options.hpp"

#include <wajah/cuda.hpp>

#include <optional>
#include <string>

namespace wajah::cli {

struct Devices {
  Cpu cpu;                   // for everything that is not done on the card
  std::optional<Cuda> cuda;  // for the networks
  Precision precision;       // of an embedder on the CPU, also of one that stands in for the card's
  std::string why;           // --device auto: why it is this one
};

// What --device, --threads, --precision, --exact and --gpu-memory-fraction ask for. auto is the first card if kernels
// can run on it, that share of its memory can be had and the precision is one of a card's; else the CPU. Throws Error:
// usage on a value that is none, device on a card that was asked for and cannot be had, and on a precision that only a
// card has.
[[nodiscard]] Devices make_devices(const CommonOptions& options, const CudaDriver& driver = cuda_runtime());

// "cpu/avx512", "cuda:0 (NVIDIA H200), fp16".
[[nodiscard]] std::string name_of(const Devices& devices);

}  // namespace wajah::cli
