// How a Cuda lays out the weights of residual blocks that one launch computes, and when it does so.
#include <wajah/error.hpp>
#include <wajah/layers/fused_blocks.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "../../kernels/cuda/fragments.hpp"
#include "words.hpp"

namespace wajah {
namespace {

// Channels of pixels that threads can move two at once, and fragments eight.
template <class T>
bool lies_well(const View<T>& view) {
  return reinterpret_cast<std::uintptr_t>(view.data) % 16 == 0 && view.stride % 4 == 0;
}

// Writes the streams of a plan's warps, in the order in which the kernel reads them.
class StreamWriter {
 public:
  StreamWriter(const FusedPlan& plan, std::span<const FusedConvWeights> convs, Arithmetic format)
      : plan_(plan), convs_(convs), repeats_(static_cast<int>(convs.size()) / plan.convs_count), format_(format) {
    const auto chunks = static_cast<std::size_t>(plan.across * FusedPlan::warps * plan.most_chunks() * repeats_);
    words_.resize(chunks * chunk_elements);
  }

  std::vector<std::uint16_t> write() && {
    for (int slice = 0; slice < plan_.across; ++slice) {
      for (int warp = 0; warp < FusedPlan::warps; ++warp) {
        next_ = static_cast<std::size_t>((slice * FusedPlan::warps + warp) * plan_.most_chunks() * repeats_);
        for (int repeat = 0; repeat < repeats_; ++repeat) write_warp(slice, warp, repeat);
      }
    }
    return std::move(words_);
  }

 private:
  static constexpr std::size_t chunk_elements = FusedPlan::chunk_words * 2;

  void write_warp(int slice, int warp, int repeat) {
    for (int s = 0; s < FusedPlan::steps_count; ++s) {
      if (warp >= plan_.busy_warps(s)) continue;
      const int across = plan_.steps[s].warps_across, tiles = plan_.tiles_each(s);
      const int first = slice * plan_.outputs_each(s) + warp % across * tiles * FusedPlan::tile;
      for (int i = 0; i < plan_.units_each(s); ++i) {
        const int unit = warp / across * plan_.units_each(s) + i;
        for (int n = 0; n < tiles; ++n, ++next_) {
          if (unit < plan_.units(s)) write_chunk(repeat, s, unit, first + n * FusedPlan::tile);
        }
      }
    }
  }

  // The weights of `unit` for eight outputs, as the lanes of two products hold them; chunks beyond the last unit stay
  // 0.
  void write_chunk(int repeat, int s, int unit, int output) {
    const int units = plan_.steps[s].inner / FusedPlan::unit;
    const int tap = unit / units, channel = unit % units * FusedPlan::unit;
    std::uint16_t* to = words_.data() + next_ * chunk_elements;
    for (int lane = 0; lane < 32; ++lane) {
      for (int product = 0; product < 2; ++product) {
        for (int i = 0; i < 4; ++i) {
          const fragments::Position at = fragments::b_of_16_bits(lane, i);
          *to++ = to_word(format_, weight(repeat, s, tap, channel + product * 16 + at.row, output + at.column));
        }
      }
    }
  }

  [[nodiscard]] float weight(int repeat, int s, int tap, int channel, int output) const {
    const int c = conv_of(s, output);
    const FusedConv& conv = plan_.convs[c];
    const auto at = static_cast<std::size_t>((tap * conv.in + channel) * conv.out + output - conv.first);
    return convs_[static_cast<std::size_t>(repeat * plan_.convs_count + c)].weights[at];
  }
  [[nodiscard]] int conv_of(int s, int output) const {
    int found = 0;
    while (plan_.convs[found].step != s || output < plan_.convs[found].first ||
           output >= plan_.convs[found].first + plan_.convs[found].out) {
      ++found;
    }
    return found;
  }

  const FusedPlan& plan_;
  std::span<const FusedConvWeights> convs_;
  int repeats_;
  Arithmetic format_;
  std::size_t next_ = 0;
  std::vector<std::uint16_t> words_;
};

}  // namespace

PackedFusedBlocks pack_fused_blocks(const Cuda& device, const FusedPlan& plan,
                                    std::span<const FusedConvWeights> convs) {
  const std::vector<std::uint16_t> words = StreamWriter(plan, convs, device.launch().arithmetic).write();
  const std::size_t repeats = convs.size() / static_cast<std::size_t>(plan.convs_count);
  std::vector<float> biases(repeats * static_cast<std::size_t>(plan.biases()));
  for (std::size_t i = 0; i < convs.size(); ++i) {
    const FusedConv& conv = plan.convs[i % static_cast<std::size_t>(plan.convs_count)];
    const std::size_t block = i / static_cast<std::size_t>(plan.convs_count) * static_cast<std::size_t>(plan.biases());
    std::ranges::copy(convs[i].biases.span(),
                      biases.begin() + static_cast<std::ptrdiff_t>(block) + plan.first_bias(conv.step) + conv.first);
  }
  return {device.uploaded(words.data(), words.size() * sizeof(std::uint16_t)),
          device.uploaded(biases.data(), biases.size() * sizeof(float))};
}

bool wants_fused_blocks(const Cuda& device) {
  const Arithmetic arithmetic = device.launch().arithmetic;
  return device.fused_blocks() && (arithmetic == Arithmetic::fp16 || arithmetic == Arithmetic::bf16);
}

// A cluster an image: more images than clusters that run at once would wait for one another, while the layers'
// own kernels share weights among images.
template <class Word>
bool fuses_blocks(const Launch& on, const FusedPlan& plan, ConstView<Word> x, View<Word> y) {
  const bool shape = x.shape.h == plan.height && x.shape.w == plan.width && x.shape.c == plan.channels;
  return shape && x.shape.n * plan.cluster() <= on.processors && lies_well(x) && lies_well(y);
}

template bool fuses_blocks<float>(const Launch&, const FusedPlan&, ConstView<float>, View<float>);
template bool fuses_blocks<uint16_t>(const Launch&, const FusedPlan&, ConstView<uint16_t>, View<uint16_t>);

}  // namespace wajah
