// What becomes of the int32 sums of a convolution of bytes: y = multiplier * sum + offset, the residual, the
// activation, and the next layer's bytes or floats, once, in float32.
#pragma once

#include <wajah/layers/conv2d_int8.hpp>

#include "vec_int8.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

// What is done with the sums of one panel of channels.
struct FinishInt8 {
  const float* multipliers;  // these four begin with the panel's first channel
  const float* offsets;
  float* y;  // one of these two
  uint8_t* bytes;
  const float* add;  // null: no residual
  float scale, floor, ceiling;
  Lanes last;  // channels of the panel's last vector that exist
  ptrdiff_t y_stride, add_stride;
  uint8_t* copy;  // null: none
  ptrdiff_t copy_stride;
  float copy_scale, copy_zero, copy_largest;
};

enum class Ending { floats, sum, sum_and_copy, bytes };

namespace {

WAJAH_VEC FinishInt8 finish_of(const Conv2dInt8Args& args, int channel, int vectors) {
  return {.multipliers = args.multipliers + channel,
          .offsets = args.offsets + channel,
          .y = args.y.data == nullptr ? nullptr : args.y.data + channel,
          .bytes = args.bytes == nullptr ? nullptr : args.bytes + channel,
          .add = args.epilogue.add.data == nullptr ? nullptr : args.epilogue.add.data + channel,
          .scale = args.epilogue.scale,
          .floor = args.floor,
          .ceiling = args.ceiling,
          .last = Lanes(args.y.shape.c - channel - (vectors - 1) * lanes),
          .y_stride = args.y.stride,
          .add_stride = args.epilogue.add.stride,
          .copy = args.copy.data == nullptr ? nullptr : args.copy.data + channel,
          .copy_stride = args.copy.stride,
          .copy_scale = args.copy.is.scale,
          .copy_zero = static_cast<float>(args.copy.is.zero_point),
          .copy_largest = static_cast<float>(args.copy.is.largest)};
}

WAJAH_VEC Ending ending_of(const Conv2dInt8Args& args) {
  if (args.bytes != nullptr) return Ending::bytes;
  if (args.epilogue.add.data == nullptr) return Ending::floats;
  return args.copy.data == nullptr ? Ending::sum : Ending::sum_and_copy;
}

// Of one vector of channels.
struct Scales {
  Vec multiplier, offset;

  WAJAH_VEC Scales(const FinishInt8& finish, int v)
      : multiplier(Vec::load(finish.multipliers + v * lanes)), offset(Vec::load(finish.offsets + v * lanes)) {}
};

template <Ending E>
struct Finisher {
  const FinishInt8& finish;
  Vec floor, ceiling, scale, steps, zero, largest;

  WAJAH_VEC explicit Finisher(const FinishInt8& f)
      : finish(f),
        floor(f.floor),
        ceiling(f.ceiling),
        scale(f.scale),
        steps(1.0F / f.copy_scale),
        zero(f.copy_zero),
        largest(f.copy_largest) {}

  // The panel's first two vectors of one pixel of y, both whole, where y is bytes.
  WAJAH_VEC void store_two(const Vec (&sums)[2], const Scales (&scales)[2], ptrdiff_t pixel) const {
    const Vec first = fma(sums[0], scales[0].multiplier, scales[0].offset);
    const Vec second = fma(sums[1], scales[1].multiplier, scales[1].offset);
    store_bytes(finish.bytes + pixel * finish.y_stride, within(first), within(second));
  }

  // Vector v of the panel's channels of one pixel of y.
  WAJAH_VEC void store(Vec sums, const Scales& scales, ptrdiff_t pixel, int v, Lanes channels) const {
    Vec value = fma(sums, scales.multiplier, scales.offset);
    if constexpr (E == Ending::sum || E == Ending::sum_and_copy) {
      value = fma(value, scale, Vec::load(finish.add + pixel * finish.add_stride + v * lanes, channels));
    }
    value = within(value);
    if constexpr (E == Ending::bytes) {
      store_bytes(finish.bytes + pixel * finish.y_stride + v * lanes, channels, value);
    } else {
      value.store(finish.y + pixel * finish.y_stride + v * lanes, channels);
    }
    if constexpr (E == Ending::sum_and_copy) {  // as quantise does
      const Vec copied = min(max(fma(value, steps, zero), Vec(0.0F)), largest);
      store_bytes(finish.copy + pixel * finish.copy_stride + v * lanes, channels, copied);
    }
  }

 private:
  WAJAH_VEC Vec within(Vec value) const { return min(max(value, floor), ceiling); }
};

}  // namespace

}  // namespace wajah::WAJAH_KERNEL_ISA
