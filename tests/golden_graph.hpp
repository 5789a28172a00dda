// The shared frozen graph of Inception-ResNet-v1 with the crops that TensorFlow was run on.
#pragma once

#include "check.hpp"

#include <wajah/convert/npy.hpp>
#include <wajah/convert/open.hpp>
#include <wajah/embed/prewhiten.hpp>

#include <optional>
#include <vector>

namespace wajah {

// The golden crops, prewhitened; nothing, with a reason, where the shared data is not there.
struct GoldenInput {
  std::filesystem::path folder;
  Weights weights;
  std::vector<float> x;
  Shape shape;

  static std::optional<GoldenInput> open() {
    const auto data = shared_data();
    const auto graph = frozen_graph();
    if (!data || !graph) {
      MESSAGE("skipped: no shared data, or no xz to unpack the frozen graph");
      return std::nullopt;
    }
    GoldenInput input{*data / "golden", open_embedder(*graph), {}, {24, 160, 160, 3}};
    const auto crops = read_npy(input.folder / "irv1_input_u8.npy").values<std::uint8_t>();
    REQUIRE(crops.size() == input.shape.size());
    input.x.resize(crops.size());
    prewhiten(ConstView<std::uint8_t>(crops.data(), input.shape), View<float>(input.x.data(), input.shape));
    return input;
  }
};

}  // namespace wajah
