// Ranges of a network's maps (ranges.hpp) from what an Observer sees of them.
#pragma once

#include <wajah/model.hpp>
#include <wajah/observer.hpp>
#include <wajah/ranges.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace wajah {

using ChooseRange = std::function<Range(const Histogram&)>;

// The inputs of Net's convolutions on `count` images, by name. fill(i, x) writes one image; it is asked for each twice.
// Throws Error (model) where more or fewer convolutions run than Net's description has.
template <class Net>
[[nodiscard]] std::map<std::string, Histogram> see_maps(const Weights& weights, const Cpu& cpu, Shape image,
                                                        std::size_t count,
                                                        const std::function<void(std::size_t, View<float>)>& fill) {
  Observation observation;
  const Observer observer(cpu, observation);
  Session<Net, Observer> session(std::make_shared<const Model<Net, Observer>>(observer, weights));
  std::vector<float> input(image.size());
  const View<float> x(input.data(), image);
  for (const auto pass : {Observation::Pass::widen, Observation::Pass::count}) {
    observation.pass = pass;
    for (std::size_t i = 0; i < count; ++i) {
      fill(i, x);
      observation.next = 0;
      (void)session.forward(x);
    }
  }
  const std::vector<std::string> names = observed_names<Net>(image);
  if (names.size() != observation.maps.size()) {
    fail(ErrorKind::model, "{}: {} convolutions ran, the network's description has {}", weights.source(),
         observation.maps.size(), names.size());
  }
  std::map<std::string, Histogram> seen;
  for (std::size_t i = 0; i < names.size(); ++i) seen.emplace(names[i], std::move(observation.maps[i]));
  return seen;
}

namespace detail {

template <class Layer>
inline constexpr bool reads_channels =
    std::is_same_v<ChannelSteps, decltype(Layer::input(std::declval<const Cpu&>(), std::declval<const Weights&>()))>;

}  // namespace detail

// The ranges that Bytes, the form of a network on bytes, asks for.
template <class Bytes>
[[nodiscard]] Ranges choose_ranges(const std::map<std::string, Histogram>& seen, Shape image,
                                   const ChooseRange& choose) {
  Ranges ranges;
  for_each_layer<Bytes>(image, [&]<class Layer>(Shape, const std::string& name) {
    if constexpr (requires(const Cpu& cpu, const Weights& w) { Layer::input(cpu, w); }) {
      MapRange& range = ranges[name];
      static_cast<Range&>(range) = choose(seen.at(name));
      if constexpr (detail::reads_channels<Layer>) range.highs = seen.at(name).highs();
    }
  });
  return ranges;
}

// The weights with all that Net's maps hold on the images x as the ranges of Bytes in their metadata: enough for a
// comparison on x itself, which needs no photos.
template <class Net, class Bytes>
[[nodiscard]] Weights with_ranges_seen_on(const Weights& weights, const Cpu& cpu, ConstView<float> x) {
  const Shape image = x.shape.images(1);
  const auto fill = [&](std::size_t i, View<float> one) {
    const float* const from = x.images(static_cast<int>(i), 1).data;
    std::copy(from, from + image.size(), one.data);
  };
  const auto seen = see_maps<Net>(weights, cpu, image, static_cast<std::size_t>(x.shape.n), fill);
  return with_metadata(weights, std::string(ranges_key), text_of(choose_ranges<Bytes>(seen, image, &Histogram::all)));
}

}  // namespace wajah
