// softmax: faces have two classes and maps many pixels, so each lane takes a pixel and the loop runs over the channels.
#include <wajah/layers/softmax.hpp>

#include "vec.hpp"

namespace wajah::WAJAH_KERNEL_ISA {
namespace {

// The same channel of `count` neighbouring pixels; lanes beyond them repeat the last.
WAJAH_VEC Vec gather(const float* x, ptrdiff_t stride, int count) {
  float values[lanes];
  for (int i = 0; i < lanes; ++i) values[i] = x[(i < count ? i : count - 1) * stride];
  return Vec::load(values);
}

WAJAH_VEC void scatter(float* y, ptrdiff_t stride, int count, Vec v) {
  float values[lanes];
  v.store(values);
  for (int i = 0; i < count; ++i) y[i * stride] = values[i];
}

// x may be y: every channel is read before it is written.
void normalise(const float* x, ptrdiff_t x_stride, float* y, ptrdiff_t y_stride, int channels, int count) {
  Vec largest = gather(x, x_stride, count);
  for (int c = 1; c < channels; ++c) largest = max(largest, gather(x + c, x_stride, count));
  Vec sum(0.0F);
  for (int c = 0; c < channels; ++c) {
    const Vec power = exp(gather(x + c, x_stride, count) - largest);
    sum = sum + power;
    scatter(y + c, y_stride, count, power);
  }
  for (int c = 0; c < channels; ++c) scatter(y + c, y_stride, count, gather(y + c, y_stride, count) / sum);
}

}  // namespace

void softmax(const SoftmaxArgs& args, Part part) {
  const auto pixels = static_cast<ptrdiff_t>(args.x.shape.pixels());
  const ptrdiff_t end = part.end(pixels);
  for (ptrdiff_t p = part.begin(pixels); p < end; p += lanes) {
    const ptrdiff_t left = end - p;
    normalise(args.x.data + p * args.x.stride, args.x.stride, args.y.data + p * args.y.stride, args.y.stride,
              args.x.shape.c, static_cast<int>(left < lanes ? left : lanes));
  }
}

}  // namespace wajah::WAJAH_KERNEL_ISA
