// Observer: a device that computes as Cpu does and looks at the input of every convolution, to learn which values its
// maps take before they become bytes.
#pragma once

#include <wajah/describe.hpp>
#include <wajah/layers/depthwise_conv2d.hpp>
#include <wajah/layers/linear.hpp>
#include <wajah/layers/quantise.hpp>

#include <cstdint>
#include <vector>

namespace wajah {

// The values of one map, over everything that was observed: first their extremes, then how many lie where.
class Histogram {
 public:
  void widen(ConstView<float> map);
  void count(ConstView<float> map);

  [[nodiscard]] Range all() const { return {low_, high_}; }
  [[nodiscard]] const std::vector<float>& highs() const { return highs_; }  // of each channel, 0 or more
  // Without the part of the values outermost on either side that is negative or positive; share from 0 to 1.
  [[nodiscard]] Range without(double share) const;
  // The range whose 255 steps give the least mean square of error: a narrower one cuts off, a wider one is coarser.
  [[nodiscard]] Range least_error() const;

 private:
  static constexpr int bins = 4096;

  [[nodiscard]] double error_of(Range range) const;
  [[nodiscard]] double width() const;
  [[nodiscard]] double center(std::size_t bin) const;

  float low_ = 0, high_ = 0;  // zero is always one of the values: padding
  std::vector<float> highs_;
  std::vector<std::uint64_t> counts_;
};

// What one pass of a network over its input showed, convolution by convolution in the order of execution.
struct Observation {
  enum class Pass { widen, count };

  void see(ConstView<float> map);

  Pass pass = Pass::widen;
  std::size_t next = 0;  // convolution of this forward call; to be set to 0 before each
  std::vector<Histogram> maps;
};

struct Observer : Cpu {
  Observer(const Cpu& cpu, Observation& o) : Cpu(cpu), observation(&o) {}

  Observation* observation;
};

inline void conv2d(const Observer& device, const Conv2dArgs& args) {
  device.observation->see(args.x);
  conv2d(static_cast<const Cpu&>(device), args);
}
inline void depthwise_conv2d(const Observer& device, const DepthwiseConv2dArgs& args) {
  device.observation->see(args.x);
  depthwise_conv2d(static_cast<const Cpu&>(device), args);
}

namespace detail {

// Layers whose forward is one call of conv2d or depthwise_conv2d.
template <class Layer>
inline constexpr bool is_observed = false;
template <Name N, int In, int Out, Window W, Pad P, class Act>
inline constexpr bool is_observed<Conv2d<N, In, Out, W, P, Act>> = true;
template <Name N, int C, Window W, Pad P, class Act>
inline constexpr bool is_observed<DepthwiseConv2d<N, C, W, P, Act>> = true;
template <Name N, int In, int Out, class Act>
inline constexpr bool is_observed<Linear<N, In, Out, Act>> = true;

}  // namespace detail

// The names that go with Observation::maps.
template <class Net>
[[nodiscard]] std::vector<std::string> observed_names(Shape x) {
  std::vector<std::string> names;
  for_each_layer<Net>(x, [&]<class Layer>(Shape, const std::string& name) {
    if constexpr (detail::is_observed<Layer>) names.push_back(name);
  });
  return names;
}

}  // namespace wajah
