// wajah bench net --device cuda --kernels: where a forward pass spends its time, kernel by kernel.
#pragma once

#include "cli/kernel_times.hpp"

#include <wajah/weights.hpp>

#include <boost/json.hpp>

#include <string>
#include <vector>

namespace wajah::cli {

// What the figures belong to, and are held against.
struct KernelReport {
  std::string net, precision, card;
  int batch = 1;
  CardRates rates;
  CardPeaks peaks;
  std::vector<KernelSum> sums;  // the longest first
};

// How many of the longest say why they are below half of the peak.
inline constexpr std::size_t explained_kernels = 5;

[[nodiscard]] std::string text_of(const KernelReport& report);
// An object a kernel.
[[nodiscard]] std::vector<boost::json::object> json_of(const KernelReport& report);

// Times a network by its name on the card for each batch, and prints it.
void report_kernels(const std::string& net, const Cuda& cuda, const Weights& weights, const std::vector<int>& batches,
                    bool as_json);

}  // namespace wajah::cli
