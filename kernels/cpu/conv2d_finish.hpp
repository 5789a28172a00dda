// What happens to the sums of a convolution before they are stored: residual, activation, and the words of the map.
#pragma once

#include "activation.hpp"
#include "conv2d_panels.hpp"
#include "words.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

// What is done with the sums of one panel, and of what the map consists that they become.
template <class Word>
struct FinishAs {
  const float* biases;  // these four begin with the panel's first channel
  const float* slopes;
  Word* y;
  const Word* add;  // null: no residual
  float scale, ceiling;
  Lanes last;  // channels of the panel's last vector that exist
  ptrdiff_t y_stride, add_stride;
};

namespace {

template <class Word>
WAJAH_VEC Word* at_channel(Word* map, int channel) {
  return map == nullptr ? nullptr : map + channel;
}

// The finish of the panel whose first channel is `channel`, of either kind of map.
template <class Word, class Args>
WAJAH_VEC FinishAs<Word> finish_of(const Args& args, Panel panel) {
  const int channel = panel.first * lanes;
  return {.biases = args.biases + channel,
          .slopes = args.activation.slope + channel,
          .y = at_channel(args.y.data, channel),
          .add = at_channel(args.epilogue.add.data, channel),
          .scale = args.epilogue.scale,
          .ceiling = ceiling_of(args.activation),
          .last = Lanes(args.y.shape.c - channel - (panel.width - 1) * lanes),
          .y_stride = args.y.stride,
          .add_stride = args.epilogue.add.stride};
}

}  // namespace

}  // namespace wajah::WAJAH_KERNEL_ISA
