// The embedding networks on maps of 16 bits (layers/halved.hpp), for cards and for CPUs with half arithmetic. They load
// the weights of the networks they are made from.
#pragma once

#include <wajah/layers/halved.hpp>
#include <wajah/networks/inception_resnet_v1.hpp>
#include <wajah/networks/mobilefacenet.hpp>

namespace wajah {

using InceptionResnetV1Half = Halved<InceptionResnetV1>;
using MobileFaceNetHalf = Halved<MobileFaceNet>;

static_assert(InceptionResnetV1Half::out({1, 160, 160, 3}) == Shape{1, 1, 1, 512});
static_assert(MobileFaceNetHalf::out({1, 112, 112, 3}) == Shape{1, 1, 1, 128});
static_assert(InceptionResnetV1Half::workspace({1, 160, 160, 3}) * 2 == InceptionResnetV1::workspace({1, 160, 160, 3}));

}  // namespace wajah
