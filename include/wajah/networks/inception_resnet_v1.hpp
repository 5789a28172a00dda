// Inception-ResNet-v1 (Szegedy et al. 2017) as davidsandberg/facenet trains it: 160x160x3 -> 512 numbers, scopes as in its
// frozen graph. Input: RGB, prewhitened per image (embed/prewhiten.hpp). The output is not yet of unit length.
#pragma once

#include <wajah/layers/avg_pool2d.hpp>
#include <wajah/layers/concat.hpp>
#include <wajah/layers/conv2d.hpp>
#include <wajah/layers/linear.hpp>
#include <wajah/layers/max_pool2d.hpp>
#include <wajah/layers/per_image.hpp>
#include <wajah/layers/repeat.hpp>
#include <wajah/layers/residual.hpp>
#include <wajah/layers/scope.hpp>
#include <wajah/layers/sequential.hpp>

namespace wajah {
namespace inception_resnet_v1 {

template <Name N, int In, int Out, Window W, Pad P = Pad::same>
using Conv = Conv2d<N, In, Out, W, P, Relu>;

using Stem = Sequential<
    Conv<"Conv2d_1a_3x3", 3, 32, Window{3, 3, 2}, Pad::valid>,
    Conv<"Conv2d_2a_3x3", 32, 32, Window{3, 3}, Pad::valid>,
    Conv<"Conv2d_2b_3x3", 32, 64, Window{3, 3}>,
    MaxPool2d<Window{3, 3, 2}, Pad::valid>,
    Conv<"Conv2d_3b_1x1", 64, 80, Window{1, 1}, Pad::valid>,
    Conv<"Conv2d_4a_3x3", 80, 192, Window{3, 3}, Pad::valid>,
    Conv<"Conv2d_4b_3x3", 192, 256, Window{3, 3, 2}, Pad::valid>>;

using Block35 = Residual<
    Sequential<
        Concat<Scope<"Branch_0", Conv<"Conv2d_1x1", 256, 32, Window{1, 1}>>,
               Scope<"Branch_1", Sequential<Conv<"Conv2d_0a_1x1", 256, 32, Window{1, 1}>,
                                            Conv<"Conv2d_0b_3x3", 32, 32, Window{3, 3}>>>,
               Scope<"Branch_2", Sequential<Conv<"Conv2d_0a_1x1", 256, 32, Window{1, 1}>,
                                            Conv<"Conv2d_0b_3x3", 32, 32, Window{3, 3}>,
                                            Conv<"Conv2d_0c_3x3", 32, 32, Window{3, 3}>>>>,
        Conv<"Conv2d_1x1", 96, 256, Window{1, 1}>>,
    std::ratio<17, 100>>;

using Mixed6a = Concat<
    Scope<"Branch_0", Conv<"Conv2d_1a_3x3", 256, 384, Window{3, 3, 2}, Pad::valid>>,
    Scope<"Branch_1", Sequential<Conv<"Conv2d_0a_1x1", 256, 192, Window{1, 1}>,
                                 Conv<"Conv2d_0b_3x3", 192, 192, Window{3, 3}>,
                                 Conv<"Conv2d_1a_3x3", 192, 256, Window{3, 3, 2}, Pad::valid>>>,
    Scope<"Branch_2", MaxPool2d<Window{3, 3, 2}, Pad::valid>>>;

using Block17 = Residual<
    Sequential<
        Concat<Scope<"Branch_0", Conv<"Conv2d_1x1", 896, 128, Window{1, 1}>>,
               Scope<"Branch_1", Sequential<Conv<"Conv2d_0a_1x1", 896, 128, Window{1, 1}>,
                                            Conv<"Conv2d_0b_1x7", 128, 128, Window{1, 7}>,
                                            Conv<"Conv2d_0c_7x1", 128, 128, Window{7, 1}>>>>,
        Conv<"Conv2d_1x1", 256, 896, Window{1, 1}>>,
    std::ratio<10, 100>>;

using Mixed7a = Concat<
    Scope<"Branch_0", Sequential<Conv<"Conv2d_0a_1x1", 896, 256, Window{1, 1}>,
                                 Conv<"Conv2d_1a_3x3", 256, 384, Window{3, 3, 2}, Pad::valid>>>,
    Scope<"Branch_1", Sequential<Conv<"Conv2d_0a_1x1", 896, 256, Window{1, 1}>,
                                 Conv<"Conv2d_1a_3x3", 256, 256, Window{3, 3, 2}, Pad::valid>>>,
    Scope<"Branch_2", Sequential<Conv<"Conv2d_0a_1x1", 896, 256, Window{1, 1}>,
                                 Conv<"Conv2d_0b_3x3", 256, 256, Window{3, 3}>,
                                 Conv<"Conv2d_1a_3x3", 256, 256, Window{3, 3, 2}, Pad::valid>>>,
    Scope<"Branch_3", MaxPool2d<Window{3, 3, 2}, Pad::valid>>>;

// The last one has scale 1 and no activation.
template <class Scale, class Act>
using Block8 = Residual<
    Sequential<
        Concat<Scope<"Branch_0", Conv<"Conv2d_1x1", 1792, 192, Window{1, 1}>>,
               Scope<"Branch_1", Sequential<Conv<"Conv2d_0a_1x1", 1792, 192, Window{1, 1}>,
                                            Conv<"Conv2d_0b_1x3", 192, 192, Window{1, 3}>,
                                            Conv<"Conv2d_0c_3x1", 192, 192, Window{3, 1}>>>>,
        Conv2d<"Conv2d_1x1", 384, 1792, Window{1, 1}, Pad::same, Act>>,
    Scale>;

// Large maps and few weights.
using Early = Join<Stem, Sequential<
    Repeat<5, "Repeat/block35", Block35>,
    Scope<"Mixed_6a", Mixed6a>>>;

// Small maps and many weights, which all images share.
using Late = Sequential<
    Repeat<10, "Repeat_1/block17", Block17>,
    Scope<"Mixed_7a", Mixed7a>,
    Repeat<5, "Repeat_2/block8", Block8<std::ratio<20, 100>, Relu>>,
    Scope<"Block8", Block8<std::ratio<1>, Identity>>>;

using Trunk = Join<Sequential<PerImageOnCpu<Early>>, Late>;

}  // namespace inception_resnet_v1

// y: (n, 1, 1, 512).
using InceptionResnetV1 = Scope<"InceptionResnetV1",
                                Join<inception_resnet_v1::Trunk,
                                     Sequential<GlobalAvgPool, Linear<"Bottleneck", 1792, 512, Identity>>>>;

static_assert(inception_resnet_v1::Stem::out({1, 160, 160, 3}) == Shape{1, 17, 17, 256});
static_assert(inception_resnet_v1::Trunk::out({1, 160, 160, 3}) == Shape{1, 3, 3, 1792});
static_assert(InceptionResnetV1::out({1, 160, 160, 3}) == Shape{1, 1, 1, 512});
// What one thread's session costs an image: the two largest neighbouring maps, 77x77 with 32 and with 64 channels, and
// what the early part gives.
static_assert(InceptionResnetV1::workspace({1, 160, 160, 3}) == (77 * 77 * (32 + 64) + 8 * 8 * 896) * sizeof(float));

}  // namespace wajah
