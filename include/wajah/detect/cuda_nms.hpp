// Non-maximum suppression on a card: boxes go up, indices come down. The detector does not use it, because between
// P-Net's levels its boxes are on the host, and their scores often equal.
#pragma once

#include <wajah/cuda_kernels.hpp>
#include <wajah/detect/nms.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace wajah {

// The indices that suppress(boxes, threshold, overlap) gives, threshold 0 or more; nothing where a card cannot tell:
// two scores are equal (their order is numpy's) or one is not a number, or there are more than most_nms_boxes. On
// `device` it takes 48 bytes a box and a bit for every pair of them. Throws what the device throws.
template <class Device>
[[nodiscard]] std::optional<std::vector<std::uint32_t>> suppress_distinct(const Device& device,
                                                                          std::span<const ScoredBox> boxes,
                                                                          double threshold, Overlap overlap) {
  if (boxes.size() > std::size_t{most_nms_boxes}) return std::nullopt;
  const int count = static_cast<int>(boxes.size());
  std::vector<NmsBox> plain;
  plain.reserve(boxes.size());
  for (const auto& [box, score] : boxes) plain.push_back({box.x1, box.y1, box.x2, box.y2, score});
  std::vector<int> result(1 + boxes.size());
  const auto on_card = device.uploaded(plain.data(), plain.size() * sizeof(NmsBox));
  const auto order = device.allocate(boxes.size() * sizeof(int));
  const auto covers = device.allocate(nms_covers(count) * sizeof(std::uint64_t));
  const auto kept = device.allocate(result.size() * sizeof(int));
  nms(device, NmsArgs{on_card.template as<const NmsBox>(), count, threshold, overlap == Overlap::of_smaller,
                      order.template as<int>(), covers.template as<std::uint64_t>(), kept.template as<int>()});
  device.download(result.data(), kept.template as<>(), result.size() * sizeof(int));
  if (result[0] < 0) return std::nullopt;
  return std::vector<std::uint32_t>(result.begin() + 1, result.begin() + 1 + result[0]);
}

// suppress, by the card where it can tell and by the CPU where it cannot: always the same indices.
template <class Device>
[[nodiscard]] std::vector<std::uint32_t> suppress(const Device& device, std::span<const ScoredBox> boxes,
                                                  double threshold, Overlap overlap) {
  if (auto kept = suppress_distinct(device, boxes, threshold, overlap)) return *std::move(kept);
  return suppress(boxes, threshold, overlap);
}

}  // namespace wajah
