// The three networks of MTCNN (Zhang et al. 2016) as davidsandberg/facenet has them: P-Net proposes on every 12x12 window
// of a picture, R-Net refines 24x24 crops, O-Net decides on 48x48 crops and finds five landmarks.
// Input: RGB, (x - 127.5) * 0.0078125. Weights: det1.npy to det3.npy turned to the upright picture (convert/mtcnn.hpp).
#pragma once

#include <wajah/layers/concat.hpp>
#include <wajah/layers/conv2d.hpp>
#include <wajah/layers/linear.hpp>
#include <wajah/layers/max_pool2d.hpp>
#include <wajah/layers/per_image.hpp>
#include <wajah/layers/sequential.hpp>
#include <wajah/layers/softmax.hpp>

namespace wajah {

// y: (n, h', w', 6): probabilities of "no face" and "face", then the box regression dx1 dy1 dx2 dy2.
using PNet = Sequential<
    Conv2d<"conv1", 3, 10, Window{3, 3}, Pad::valid, PRelu<"PReLU1">>,
    MaxPool2d<Window{2, 2, 2}, Pad::same>,
    Conv2d<"conv2", 10, 16, Window{3, 3}, Pad::valid, PRelu<"PReLU2">>,
    Conv2d<"conv3", 16, 32, Window{3, 3}, Pad::valid, PRelu<"PReLU3">>,
    Concat<Sequential<Conv2d<"conv4-1", 32, 2, Window{1, 1}, Pad::same, Identity>, Softmax>,
           Conv2d<"conv4-2", 32, 4, Window{1, 1}, Pad::same, Identity>>>;
static_assert(PNet::out({1, 12, 12, 3}) == Shape{1, 1, 1, 6});

// y: (n, 1, 1, 6): as P-Net, one row a crop.
using RNet = Sequential<
    PerImageOnCpu<Conv2d<"conv1", 3, 28, Window{3, 3}, Pad::valid, PRelu<"prelu1">>,
             MaxPool2d<Window{3, 3, 2}, Pad::same>>,
    Conv2d<"conv2", 28, 48, Window{3, 3}, Pad::valid, PRelu<"prelu2">>,
    MaxPool2d<Window{3, 3, 2}, Pad::valid>,
    Conv2d<"conv3", 48, 64, Window{2, 2}, Pad::valid, PRelu<"prelu3">>,
    Linear<"conv4", 3 * 3 * 64, 128, PRelu<"prelu4">>,
    Concat<Sequential<Linear<"conv5-1", 128, 2, Identity>, Softmax>,
           Linear<"conv5-2", 128, 4, Identity>>>;
static_assert(RNet::out({5, 24, 24, 3}) == Shape{5, 1, 1, 6});

// y: (n, 1, 1, 16): as R-Net, then the landmarks x1 to x5 and y1 to y5 as fractions of the box.
using ONet = Sequential<
    PerImageOnCpu<Conv2d<"conv1", 3, 32, Window{3, 3}, Pad::valid, PRelu<"prelu1">>,
             MaxPool2d<Window{3, 3, 2}, Pad::same>,
             Conv2d<"conv2", 32, 64, Window{3, 3}, Pad::valid, PRelu<"prelu2">>,
             MaxPool2d<Window{3, 3, 2}, Pad::valid>>,
    Conv2d<"conv3", 64, 64, Window{3, 3}, Pad::valid, PRelu<"prelu3">>,
    MaxPool2d<Window{2, 2, 2}, Pad::same>,
    Conv2d<"conv4", 64, 128, Window{2, 2}, Pad::valid, PRelu<"prelu4">>,
    Linear<"conv5", 3 * 3 * 128, 256, PRelu<"prelu5">>,
    Concat<Sequential<Linear<"conv6-1", 256, 2, Identity>, Softmax>,
           Linear<"conv6-2", 256, 4, Identity>,
           Linear<"conv6-3", 256, 10, Identity>>>;
static_assert(ONet::out({7, 48, 48, 3}) == Shape{7, 1, 1, 16});

}  // namespace wajah
