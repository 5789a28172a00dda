// MobileFaceNet (Chen et al. 2018) as foamliu/MobileFaceNet has it: 112x112x3 -> 128 numbers, not yet of unit length.
// Input: RGB, (x / 255 - mean) / std with ImageNet's mean and standard deviation (embed/normalise.hpp).
#pragma once

#include <wajah/layers/conv2d.hpp>
#include <wajah/layers/depthwise_conv2d.hpp>
#include <wajah/layers/repeat.hpp>
#include <wajah/layers/residual.hpp>
#include <wajah/layers/scope.hpp>
#include <wajah/layers/sequential.hpp>

namespace wajah {
namespace mobilefacenet {

// Inverted residual (Sandler et al. 2018): widen, filter each channel by itself, narrow without an activation.
template <int In, int Wide, int Out, int Stride>
using Bottleneck = Sequential<
    Conv2d<"expand", In, Wide, Window{1, 1}, Pad::valid, Relu6>,
    DepthwiseConv2d<"depthwise", Wide, Window{3, 3, Stride}, Pad::half, Relu6>,
    Conv2d<"project", Wide, Out, Window{1, 1}, Pad::valid, Identity>>;

template <int Channels, int Wide>
using Block = Residual<Bottleneck<Channels, Wide, Channels, 1>>;

using Features = Sequential<
    Repeat<4, "stage1/block", Block<64, 128>>,
    Scope<"down2", Bottleneck<64, 256, 128, 2>>,
    Repeat<6, "stage2/block", Block<128, 256>>,
    Scope<"down3", Bottleneck<128, 512, 128, 2>>,
    Repeat<2, "stage3/block", Block<128, 256>>>;

}  // namespace mobilefacenet

// y: (n, 1, 1, 128). Scopes are closed where they need not be, so that layers which may hand on bytes are neighbours.
using MobileFaceNet = Scope<"MobileFaceNet", Sequential<
    Conv2d<"conv1", 3, 64, Window{3, 3, 2}, Pad::half, Relu6>,
    Scope<"dw_conv", DepthwiseConv2d<"depthwise", 64, Window{3, 3}, Pad::half, Relu>>,
    Scope<"dw_conv", Conv2d<"pointwise", 64, 64, Window{1, 1}, Pad::valid, Relu>>,
    Scope<"features", Scope<"down1", mobilefacenet::Bottleneck<64, 128, 64, 2>>>,
    Scope<"features", mobilefacenet::Features>,
    Conv2d<"conv2", 128, 512, Window{1, 1}, Pad::valid, Relu6>,
    DepthwiseConv2d<"gdconv", 512, Window{7, 7}, Pad::valid, Identity>,
    Conv2d<"conv3", 512, 128, Window{1, 1}, Pad::valid, Identity>>>;

static_assert(MobileFaceNet::out({1, 112, 112, 3}) == Shape{1, 1, 1, 128});

}  // namespace wajah
