// Quantise: floats to bytes, byte = round(x / scale) + zero_point within 0 to `largest`, of two nearest the even one
// (Jacob et al. 2018). Maps that a ReLU wrote have no zero point.
#pragma once

#include <wajah/layer.hpp>
#ifndef WAJAH_KERNEL_ISA
#include <vector>
#endif

namespace wajah {

// What bytes mean: x = (byte - zero_point) * scale.
struct Quantisation {
  float scale = 1.0F;
  int zero_point = 0;
  int largest = 255;  // byte there is; less where sums of products have no room for it (byte_steps.hpp)
};

struct QuantiseArgs {
  ConstView<float> x;
  View<uint8_t> y;
  Quantisation y_is;
};
WAJAH_KERNEL(quantise, QuantiseArgs)

#ifndef WAJAH_KERNEL_ISA

// The values that a map takes.
struct Range {
  float low = 0, high = 0;
};

// `largest` steps over the range and zero; zero itself is a step, so that padding is exact.
[[nodiscard]] Quantisation quantisation_of(Range range, int largest = 255);

// What bytes mean where every channel has steps of its own, from zero on.
struct ChannelSteps : Quantisation {
  std::vector<float> scales;  // (channels), instead of scale; empty: one for all
};

// The tensor "<conv>/input.range" (2): the lowest and highest input of a layer that reads bytes.
inline constexpr std::string_view range_name = "input.range";

// That tensor of one layer. Throws Error (model), which tells how ranges are measured, if there is none.
[[nodiscard]] Range range_of(const Weights& layer);

// The tensor "<depthwise>/input.highs" (channels), which ranges may come with: the highest input of each channel.
inline constexpr std::string_view highs_name = "input.highs";

// The steps of a layer that reads each channel by itself. No channel has less than a sixteenth of the range, in case
// that photos to come need it.
[[nodiscard]] ChannelSteps channel_steps_of(const Weights& layer, int channels);

struct Quantise {
  static constexpr std::string_view name = "Quantise";

  static constexpr Shape out(Shape x) { return x; }
  static constexpr std::size_t workspace(Shape) { return 0; }
  static constexpr std::size_t macs(Shape) { return 0; }
  void load(const auto&, const Weights&, Quantisation output) { y_is_ = output; }
  void forward(const auto& device, ConstView<float> x, View<std::uint8_t> y, Arena) const {
    quantise(device, QuantiseArgs{x, y, y_is_});
  }

 private:
  Quantisation y_is_;
};

#endif

}  // namespace wajah
