// The embedding networks in the way that is fastest for the size of picture they are made for (layers/tuned.hpp).
// MobileFaceNet has nothing to choose: its windows are single pixels, or depthwise.
#pragma once

#include <wajah/layers/tuned.hpp>
#include <wajah/networks/inception_resnet_v1.hpp>

namespace wajah {

using InceptionResnetV1Tuned = Tuned<InceptionResnetV1, Shape{1, 160, 160, 3}>;

static_assert(InceptionResnetV1Tuned::out({1, 160, 160, 3}) == Shape{1, 1, 1, 512});
static_assert(InceptionResnetV1Tuned::workspace({1, 160, 160, 3}) == InceptionResnetV1::workspace({1, 160, 160, 3}));
static_assert(!std::is_same_v<InceptionResnetV1Tuned, InceptionResnetV1>);

// What is chosen for some of its layers.
static_assert(detail::best_tile({1, 38, 38, 80}, 192, Window{3, 3}, Pad::valid) == WinogradTile{4, 4});  // 4a
static_assert(detail::best_tile({1, 17, 17, 192}, 192, Window{3, 3}, Pad::same) == WinogradTile{3, 3});  // Mixed_6a
static_assert(detail::best_tile({1, 8, 8, 256}, 256, Window{3, 3}, Pad::same) == WinogradTile{2, 2});    // Mixed_7a
static_assert(detail::best_tile({1, 8, 8, 128}, 128, Window{1, 7}, Pad::same) == WinogradTile{1, 4});    // block17
static_assert(detail::best_tile({1, 3, 3, 192}, 192, Window{1, 3}, Pad::same) == WinogradTile{});        // block8

}  // namespace wajah
