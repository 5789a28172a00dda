// What maps of depthwise convolutions consist of, for one vector of channels: how numbers are loaded, what padding is,
// and what becomes of sums. WordMaps: floats or halves, of which padding is zero and sums are activated.
#pragma once

#include <wajah/layers/depthwise_conv2d.hpp>

#include "activation.hpp"
#include "words.hpp"

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

template <class Word>
constexpr Word zeros[lanes] = {};

template <class Word>
class WordMaps {
 public:
  using X = Word;
  using Y = Word;

  template <class Args>
  WAJAH_VEC WordMaps(const Args& args, int channel)
      : slope_(Vec::load(args.activation.slope + channel)), ceiling_(ceiling_of(args.activation)) {}

  WAJAH_VEC const Word* padding() const { return zeros<Word>; }
  WAJAH_VEC Vec load(const Word* p, Lanes channels) const { return load_words(p, channels); }
  WAJAH_VEC void store(Word* p, Lanes channels, Vec sums) const {
    store_words(p, channels, activate(sums, slope_, ceiling_));
  }

 private:
  Vec slope_, ceiling_;
};

}  // namespace

}  // namespace wajah::WAJAH_KERNEL_ISA
