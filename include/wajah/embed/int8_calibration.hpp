// Int8Calibration: measures on crops of faces which values the maps of an embedding network take, so that it can compute on
// bytes (Precision::int8).
#pragma once

#include <wajah/cpu.hpp>
#include <wajah/image.hpp>
#include <wajah/weights.hpp>

#include <span>
#include <string>
#include <vector>

namespace wajah {

// How far embeddings in int8 are from those in float32, on the crops: cosines.
struct Likeness {
  std::string method;  // how ranges were chosen from what was seen: "all", "99.99 %", "least error"
  double mean = 0, least = 0;
};

struct Int8Calibration {
  Weights weights;  // those given, with the ranges in their metadata: the same tensors, and the same id
  Likeness chosen;  // the method of the largest mean
  std::vector<Likeness> tried;
};

// `crops` are faces as Embedder::embed takes them; some hundred, of many people and cameras. Computes on all threads of
// `cpu`; some 50 ms a crop. Throws Error: input on too few crops (fewer than least_crops), model on the weights.
inline constexpr std::size_t least_crops = 16;
[[nodiscard]] Int8Calibration calibrate_int8(const Weights& weights, std::span<const Image> crops, const Cpu& cpu);

}  // namespace wajah
