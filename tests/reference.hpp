// Reference: a third device. Its kernels are the definitions, as plain loops over indices with sums in double: what
// every other device is compared with, and the place to read what a layer computes.
#pragma once

#include <wajah/layers/avg_pool2d.hpp>
#include <wajah/layers/conv2d.hpp>
#include <wajah/layers/conv2d_int8.hpp>
#include <wajah/layers/depthwise_conv2d.hpp>
#include <wajah/layers/depthwise_conv2d_int8.hpp>
#include <wajah/layers/max_pool2d.hpp>
#include <wajah/layers/max_pool2d_int8.hpp>
#include <wajah/layers/softmax.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace wajah {

struct Reference {
  [[nodiscard]] Buffer allocate(std::size_t bytes) const { return Buffer(bytes); }
};

namespace reference {

inline Buffer copy(const float* values, int count) {
  Buffer buffer(static_cast<std::size_t>(count) * sizeof(float));
  std::copy_n(values, count, buffer.as<float>());
  return buffer;
}

inline Buffer copy_slopes(const Activation& activation, int channels) {
  return activation.kind == ActivationKind::prelu ? copy(activation.slope, channels) : Buffer();
}

inline double activate(const Activation& activation, double x, int channel) {
  switch (activation.kind) {
    case ActivationKind::identity: return x;
    case ActivationKind::relu: return std::max(x, 0.0);
    case ActivationKind::relu6: return std::clamp(x, 0.0, 6.0);
    case ActivationKind::prelu: return x < 0 ? activation.slope[channel] * x : x;
  }
  return x;
}

// Calls visit(n, y, x) for every pixel of a shape.
void each_pixel(Shape shape, auto&& visit) {
  for (int n = 0; n < shape.n; ++n) {
    for (int y = 0; y < shape.h; ++y) {
      for (int x = 0; x < shape.w; ++x) visit(n, y, x);
    }
  }
}

// Calls visit(row of the window, column of the window, pixel of x there) where output pixel (n, y, x)'s window lies in
// the map.
template <class T>
void each_tap(View<T> map, Window window, Pad pad, int n, int y, int x, auto&& visit) {
  const int top = y * window.stride - reach(map.shape.h, window.h, window.stride, pad).before;
  const int left = x * window.stride - reach(map.shape.w, window.w, window.stride, pad).before;
  for (int v = 0; v < window.h; ++v) {
    for (int u = 0; u < window.w; ++u) {
      const bool inside = top + v >= 0 && top + v < map.shape.h && left + u >= 0 && left + u < map.shape.w;
      if (inside) visit(v, u, map.pixel(n, top + v, left + u));
    }
  }
}

}  // namespace reference

inline PackedConv2d pack_conv2d(const Reference&, const Conv2dWeights& from) {
  return {reference::copy(from.weights, from.window.h * from.window.w * from.in * from.out),
          reference::copy(from.biases, from.out), reference::copy_slopes(from.activation, from.out)};
}

inline void conv2d(const Reference&, const Conv2dArgs& args) {
  const int in = args.x.shape.c;
  const int out = args.y.shape.c;
  reference::each_pixel(args.y.shape, [&](int n, int y, int x) {
    for (int o = 0; o < out; ++o) {
      double sum = args.biases[o];
      reference::each_tap(args.x, args.window, args.pad, n, y, x, [&](int v, int u, const float* pixel) {
        const float* weights = args.weights + (v * args.window.w + u) * in * out + o;
        for (int i = 0; i < in; ++i) sum += static_cast<double>(pixel[i]) * weights[i * out];
      });
      if (args.epilogue.add.data != nullptr) sum = args.epilogue.add.pixel(n, y, x)[o] + args.epilogue.scale * sum;
      args.y.pixel(n, y, x)[o] = static_cast<float>(reference::activate(args.activation, sum, o));
    }
  });
}

// The sum of bytes times weights of one output number. x stands for byte - zero_point, of which padding is 0.
inline int sum_of_bytes(const Conv2dInt8Args& args, int n, int y, int x, int o) {
  const int in = args.x.shape.c;
  const int out = args.y.shape.c;
  int sum = 0;
  reference::each_tap(args.x, args.window, args.pad, n, y, x, [&](int v, int u, const std::uint8_t* pixel) {
    const std::int8_t* weights = args.weights + (v * args.window.w + u) * in * out + o;
    for (int i = 0; i < in; ++i) sum += (pixel[i] - args.zero_point) * weights[i * out];
  });
  return sum;
}

// Weights as they are; the offsets know nothing of the zero point, which the sums have taken out already.
inline void conv2d_int8(const Reference&, const Conv2dInt8Args& args) {
  reference::each_pixel(args.y.shape, [&](int n, int y, int x) {
    for (int o = 0; o < args.y.shape.c; ++o) {
      double value = double{args.multipliers[o]} * sum_of_bytes(args, n, y, x, o) + args.offsets[o];
      if (args.epilogue.add.data != nullptr) value = args.epilogue.add.pixel(n, y, x)[o] + args.epilogue.scale * value;
      value = std::clamp<double>(value, args.floor, args.ceiling);
      if (args.bytes != nullptr) {
        const View<std::uint8_t> bytes(args.bytes, args.y.shape, args.y.stride);
        bytes.pixel(n, y, x)[o] = static_cast<std::uint8_t>(std::nearbyint(value));
      } else {
        args.y.pixel(n, y, x)[o] = static_cast<float>(value);
      }
    }
  });
}

inline PackedDepthwiseConv2d pack_depthwise_conv2d(const Reference&, const DepthwiseConv2dWeights& from) {
  return {reference::copy(from.weights, from.window.h * from.window.w * from.channels),
          reference::copy(from.biases, from.channels), reference::copy_slopes(from.activation, from.channels)};
}

inline void depthwise_conv2d(const Reference&, const DepthwiseConv2dArgs& args) {
  const int channels = args.x.shape.c;
  reference::each_pixel(args.y.shape, [&](int n, int y, int x) {
    for (int c = 0; c < channels; ++c) {
      double sum = args.biases[c];
      reference::each_tap(args.x, args.window, args.pad, n, y, x, [&](int v, int u, const float* pixel) {
        sum += static_cast<double>(pixel[c]) * args.weights[(v * args.window.w + u) * channels + c];
      });
      args.y.pixel(n, y, x)[c] = static_cast<float>(reference::activate(args.activation, sum, c));
    }
  });
}

// Weights as they are, (window.h, window.w, channels). x stands for byte - zero_point, of which padding is 0.
inline void depthwise_conv2d_int8(const Reference&, const DepthwiseConv2dInt8Args& args) {
  const int channels = args.x.shape.c;
  reference::each_pixel(args.y.shape, [&](int n, int y, int x) {
    for (int c = 0; c < channels; ++c) {
      double sum = args.biases[c];
      reference::each_tap(args.x, args.window, args.pad, n, y, x, [&](int v, int u, const std::uint8_t* pixel) {
        sum += double{args.weights[(v * args.window.w + u) * channels + c]} * (pixel[c] - args.zero_point);
      });
      const double value = std::clamp<double>(sum, args.floor, args.ceiling);
      if (args.bytes != nullptr) {
        const View<std::uint8_t> bytes(args.bytes, args.y.shape, args.y.stride);
        bytes.pixel(n, y, x)[c] = static_cast<std::uint8_t>(std::nearbyint(value));
      } else {
        args.y.pixel(n, y, x)[c] = static_cast<float>(value);
      }
    }
  });
}

inline void max_pool2d(const Reference&, const MaxPool2dArgs& args) {
  reference::each_pixel(args.y.shape, [&](int n, int y, int x) {
    for (int c = 0; c < args.x.shape.c; ++c) {
      float largest = -std::numeric_limits<float>::infinity();
      reference::each_tap(args.x, args.window, args.pad, n, y, x,
                          [&](int, int, const float* pixel) { largest = std::max(largest, pixel[c]); });
      args.y.pixel(n, y, x)[c] = largest;
    }
  });
}

inline void max_pool2d_int8(const Reference&, const MaxPool2dInt8Args& args) {
  reference::each_pixel(args.y.shape, [&](int n, int y, int x) {
    for (int c = 0; c < args.x.shape.c; ++c) {
      std::uint8_t largest = 0;
      reference::each_tap(args.x, args.window, args.pad, n, y, x,
                          [&](int, int, const std::uint8_t* pixel) { largest = std::max(largest, pixel[c]); });
      args.y.pixel(n, y, x)[c] = largest;
    }
  });
}

inline void quantise(const Reference&, const QuantiseArgs& args) {
  reference::each_pixel(args.x.shape, [&](int n, int y, int x) {
    for (int c = 0; c < args.x.shape.c; ++c) {
      const double steps = std::nearbyint(args.x.pixel(n, y, x)[c] / double{args.y_is.scale}) + args.y_is.zero_point;
      args.y.pixel(n, y, x)[c] = static_cast<std::uint8_t>(std::clamp(steps, 0.0, double(args.y_is.largest)));
    }
  });
}

inline void global_avg_pool(const Reference&, const GlobalAvgPoolArgs& args) {
  const Shape shape = args.x.shape;
  for (int n = 0; n < shape.n; ++n) {
    for (int c = 0; c < shape.c; ++c) {
      double sum = 0;
      reference::each_pixel(shape.images(1), [&](int, int y, int x) { sum += args.x.pixel(n, y, x)[c]; });
      args.y.pixel(n, 0, 0)[c] = static_cast<float>(sum / (shape.h * shape.w));
    }
  }
}

inline void softmax(const Reference&, const SoftmaxArgs& args) {
  reference::each_pixel(args.x.shape, [&](int n, int y, int x) {
    const float* from = args.x.pixel(n, y, x);
    const double largest = *std::max_element(from, from + args.x.shape.c);
    std::vector<double> powers;
    double sum = 0;
    for (int c = 0; c < args.x.shape.c; ++c) sum += powers.emplace_back(std::exp(from[c] - largest));
    float* to = args.y.pixel(n, y, x);
    for (const double power : powers) *to++ = static_cast<float>(power / sum);
  });
}

}  // namespace wajah
