// Networks as a card computes them that may fuse residual blocks (layers/fused.hpp): the same weights and shapes.
#pragma once

#include <wajah/layers/fused.hpp>
#include <wajah/networks/inception_resnet_v1.hpp>

namespace wajah {

using InceptionResnetV1Fused = Fused<InceptionResnetV1>;

static_assert(InceptionResnetV1Fused::out({1, 160, 160, 3}) == Shape{1, 1, 1, 512});
static_assert(InceptionResnetV1Fused::workspace({1, 160, 160, 3}) == InceptionResnetV1::workspace({1, 160, 160, 3}));
static_assert(fused_plan_of<inception_resnet_v1::Block35>() == 0 && fused_plan_of<inception_resnet_v1::Block17>() == 1);
static_assert(fused_plan_of<inception_resnet_v1::Block8<std::ratio<1>, Identity>>() == 2);

}  // namespace wajah
