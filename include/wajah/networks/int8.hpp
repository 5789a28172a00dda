// The embedding networks computing on bytes (layers/quantised.hpp). They load the weights of the networks they are made
// from, and the ranges that calibration adds (embed/int8_calibration.hpp).
#pragma once

#include <wajah/layers/quantised.hpp>
#include <wajah/networks/inception_resnet_v1.hpp>
#include <wajah/networks/mobilefacenet.hpp>

namespace wajah {

using InceptionResnetV1Int8 = Quantised<InceptionResnetV1>;
using MobileFaceNetInt8 = Quantised<MobileFaceNet>;

static_assert(InceptionResnetV1Int8::out({1, 160, 160, 3}) == Shape{1, 1, 1, 512});
static_assert(MobileFaceNetInt8::out({1, 112, 112, 3}) == Shape{1, 1, 1, 128});

}  // namespace wajah
