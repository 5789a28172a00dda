// Shape, View, Window, Pad, Activation, Part: the plain structs that layers, devices and kernels share.
//
// This is the only common header a kernel file sees, so it includes no C++ standard header, and every function in it is
// forced inline: a weak symbol compiled with -mavx512f could be kept for the whole program and crash an AVX2 machine.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define WAJAH_INLINE __attribute__((always_inline)) constexpr inline

namespace wajah {

// Size of an activation, NHWC: images, rows, columns, channels (innermost).
struct Shape {
  int n = 1, h = 1, w = 1, c = 1;

  [[nodiscard]] WAJAH_INLINE size_t pixels() const {
    return static_cast<size_t>(n) * static_cast<size_t>(h) * static_cast<size_t>(w);
  }
  [[nodiscard]] WAJAH_INLINE size_t size() const { return pixels() * static_cast<size_t>(c); }
  [[nodiscard]] WAJAH_INLINE Shape channels(int count) const { return {n, h, w, count}; }
  [[nodiscard]] WAJAH_INLINE Shape images(int count) const { return {count, h, w, c}; }

  friend WAJAH_INLINE bool operator==(const Shape& a, const Shape& b) {
    return a.n == b.n && a.h == b.h && a.w == b.w && a.c == b.c;
  }
};

// A dense or channel-sliced NHWC tensor that somebody else owns: pixels are `stride` elements apart, rows w * stride,
// images h * w * stride. A slice of channels (how Concat writes without copying) keeps the stride of the whole.
template <class T>
struct View {
  T* data = nullptr;
  Shape shape{};
  ptrdiff_t stride = 0;

  WAJAH_INLINE View() = default;
  WAJAH_INLINE View(T* d, Shape s) : data(d), shape(s), stride(s.c) {}
  WAJAH_INLINE View(T* d, Shape s, ptrdiff_t pixel_stride) : data(d), shape(s), stride(pixel_stride) {}

  WAJAH_INLINE operator View<const T>() const { return {data, shape, stride}; }  // NOLINT(google-explicit-constructor)
  [[nodiscard]] WAJAH_INLINE bool dense() const { return stride == shape.c; }
  [[nodiscard]] WAJAH_INLINE T* pixel(int n, int y, int x) const {
    return data + ((static_cast<ptrdiff_t>(n) * shape.h + y) * shape.w + x) * stride;
  }
  [[nodiscard]] WAJAH_INLINE View channels(int first, int count) const {
    return {data + first, shape.channels(count), stride};
  }
  [[nodiscard]] WAJAH_INLINE View images(int first, int count) const {
    return {data + static_cast<ptrdiff_t>(first) * shape.h * shape.w * stride, shape.images(count), stride};
  }
};

template <class T>
using ConstView = View<const T>;

// A sliding window: height, width and one stride for both directions.
struct Window {
  int h = 1, w = 1, stride = 1;
};

// valid: no padding. same: TensorFlow's SAME, the odd pixel of padding at the bottom and right.
// half: (size - 1) / 2 on every side, as PyTorch models write padding=1 for 3x3; differs from same at stride 2.
enum class Pad { valid, same, half };

// One direction of a window over `in` pixels: how many outputs, and how many padding pixels come before the first.
struct Reach {
  int out = 0, before = 0;
};

[[nodiscard]] WAJAH_INLINE Reach reach(int in, int window, int stride, Pad pad) {
  if (pad == Pad::valid) return {in < window ? 0 : (in - window) / stride + 1, 0};
  if (pad == Pad::half) {
    const int before = (window - 1) / 2;
    return {(in + 2 * before - window) / stride + 1, before};
  }
  const int out = (in + stride - 1) / stride;
  const int total = (out - 1) * stride + window - in;
  return {out, total > 0 ? total / 2 : 0};
}

// What happens to a sum before it is stored: nothing, max(0, x), min(6, max(0, x)), or x < 0 ? slope[channel] * x : x.
enum class ActivationKind { identity, relu, relu6, prelu };
struct Activation {
  ActivationKind kind = ActivationKind::identity;
  const float* slope = nullptr;  // (channels), for prelu
};

// How a convolution ends when it closes a residual: y = activation(add + scale * (conv + bias)).
// `add` may be the very memory of y: every element is read before it is written, and never again.
struct Epilogue {
  ConstView<float> add{};
  float scale = 1.0F;
};

// A kernel does part `index` of `count` equal parts of its work: what one thread of the pool is asked for.
struct Part {
  int index = 0, count = 1;

  [[nodiscard]] WAJAH_INLINE ptrdiff_t begin(ptrdiff_t total) const { return total * index / count; }
  [[nodiscard]] WAJAH_INLINE ptrdiff_t end(ptrdiff_t total) const { return total * (index + 1) / count; }
};

inline constexpr size_t alignment = 64;  // bytes: a cache line, and the widest vector

[[nodiscard]] WAJAH_INLINE size_t align_up(size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }
template <class T = float>
[[nodiscard]] WAJAH_INLINE size_t bytes_of(Shape shape) {
  return align_up(shape.size() * sizeof(T));
}

// Scratch memory handed down a network: a span that shrinks from either end and owns nothing, so giving memory back
// is letting the smaller copy go out of scope.
struct Arena {
  char* first = nullptr;
  char* last = nullptr;

  [[nodiscard]] WAJAH_INLINE size_t size() const { return static_cast<size_t>(last - first); }
  template <class T = float>
  [[nodiscard, gnu::always_inline]] inline View<T> front(Shape shape) {
    T* data = reinterpret_cast<T*>(first);
    first += bytes_of<T>(shape);
    return {data, shape};
  }
  template <class T = float>
  [[nodiscard, gnu::always_inline]] inline View<T> back(Shape shape) {
    last -= bytes_of<T>(shape);
    return {reinterpret_cast<T*>(last), shape};
  }
};

}  // namespace wajah
