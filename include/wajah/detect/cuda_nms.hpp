// Non-maximum suppression on a card: boxes go up, indices come down. The detector's boxes are on the card already
// (cuda_cascade.hpp).
#pragma once

#include <wajah/detect/card_boxes.hpp>
#include <wajah/detect/nms.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace wajah {

// The indices that suppress(boxes, threshold, overlap) gives, threshold 0 or more, scores numbers; nothing where a card
// cannot tell: there are more than most_nms_boxes, or sorting them takes numpy so many steps that it changes its
// method. On `device` it takes 50 bytes a box and a bit for every pair of them. Throws what the device throws.
template <class Device>
[[nodiscard]] std::optional<std::vector<std::uint32_t>> suppress_on_card(const Device& device,
                                                                         std::span<const ScoredBox> boxes,
                                                                         double threshold, Overlap overlap) {
  if (boxes.empty()) return std::vector<std::uint32_t>();
  if (boxes.size() > std::size_t{most_nms_boxes}) return std::nullopt;
  const int count = static_cast<int>(boxes.size());
  std::vector<ScoredCardBox> plain;
  plain.reserve(boxes.size());
  for (const auto& [box, score] : boxes) plain.push_back({box.x1, box.y1, box.x2, box.y2, score});
  struct {
    int failed, counts, starts[2];
  } numbers{0, 0, {0, count}};
  const auto on_card = device.uploaded(plain.data(), plain.size() * sizeof(ScoredCardBox));
  const auto numbers_card = device.uploaded(&numbers, sizeof numbers);
  const auto order = device.allocate(boxes.size() * sizeof(int)), kept = device.allocate(boxes.size() * sizeof(int));
  const auto covers = device.allocate(nms_covers(count) * sizeof(std::uint64_t));
  int* const first = numbers_card.template as<int>();
  nms(device, NmsArgs{on_card.template as<const ScoredCardBox>(), first + 2, 1, count, threshold,
                      overlap == Overlap::of_smaller, order.template as<int>(), covers.template as<std::uint64_t>(),
                      kept.template as<int>(), first + 1, first});
  std::vector<int> indices(boxes.size());
  device.download(&numbers, numbers_card.template as<>(), sizeof numbers);
  device.download(indices.data(), kept.template as<>(), indices.size() * sizeof(int));
  if (numbers.failed != 0) return std::nullopt;
  return std::vector<std::uint32_t>(indices.begin(), indices.begin() + numbers.counts);
}

// suppress, by the card where it can tell and by the CPU where it cannot: always the same indices.
template <class Device>
[[nodiscard]] std::vector<std::uint32_t> suppress(const Device& device, std::span<const ScoredBox> boxes,
                                                  double threshold, Overlap overlap) {
  if (auto kept = suppress_on_card(device, boxes, threshold, overlap)) return *std::move(kept);
  return suppress(boxes, threshold, overlap);
}

}  // namespace wajah
