// What the common options mean where a command can compute on a card.
#pragma once

#include "cli/options.hpp"

#include <wajah/cuda.hpp>

namespace wajah::cli {

// --precision of a Cuda: auto (fp32), fp32, tf32, fp16, bf16 or int8. Throws Error (usage) on another word.
[[nodiscard]] Arithmetic arithmetic_of(const std::string& precision);

// The same for a command that also knows --exact. Throws Error likewise, and (device) on --exact direct.
[[nodiscard]] Arithmetic arithmetic_on_card(const CommonOptions& options);

// The card that --device asks for, with its share of memory, and patience for whatever size is measured on it, also by
// a sanitizer. Throws Error (device, device_memory) saying why it cannot be had.
[[nodiscard]] Cuda make_cuda(const DeviceChoice& choice, double memory_fraction, Arithmetic arithmetic);

// Whose convolutions a benchmark computes with on a card.
enum class CudaConv { own, cudnn };

// --cuda-conv own|cudnn. Throws Error (usage) on another word.
[[nodiscard]] CudaConv parse_cuda_conv(const std::string& text);

// Throws Error (usage) on an arithmetic in which these convolutions are not computed.
void require_on_card(CudaConv conv, Arithmetic arithmetic);

}  // namespace wajah::cli
