// The plain definition compares every box with every better one. A crowd, or a picture made to annoy, gives a hundred
// thousand candidates, so kept boxes are filed by size, doubling from class to class, and within a class by their upper
// left corner in cells as large as its boxes: whatever overlaps a box has its corner in a few cells. The result is the
// same.
#include <wajah/detect/nms.hpp>

#include "numpy_order.hpp"
#include "overlap.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <map>
#include <memory_resource>
#include <unordered_map>
#include <vector>

namespace wajah {

namespace {

double longer_side(const Box& box) { return std::max({box.width() + 1, box.height() + 1, 1.0}); }

class Kept {
 public:
  explicit Kept(std::pmr::memory_resource& memory) : classes_(&memory) {}

  void add(const Box& box, std::uint32_t index) {
    const int size_class = static_cast<int>(std::log2(longer_side(box)));
    Class& in = classes_[size_class];
    in.all.push_back(index);
    in.cells[key(cell_of(box.x1, size_class), cell_of(box.y1, size_class))].push_back(index);
  }

  // Whether `covers` holds for one of the kept boxes, where it can hold only for those that overlap `box` by more than
  // `threshold`.
  template <class Covers>
  [[nodiscard]] bool any(const Box& box, double threshold, Overlap kind, const Covers& covers) const {
    return std::ranges::any_of(classes_, [&](const auto& entry) {
      const double smallest = std::ldexp(1.0, entry.first), largest = 2 * smallest, side = longer_side(box);
      // An overlap by the union is at most the ratio of the sides.
      const bool far = kind == Overlap::of_union && (side / smallest <= threshold || largest / side <= threshold);
      return !far && any_in(entry.second, entry.first, box, covers);
    });
  }

 private:
  struct Class {
    using allocator_type = std::pmr::polymorphic_allocator<>;
    explicit Class(const allocator_type& memory) : all(memory), cells(memory) {}

    std::pmr::vector<std::uint32_t> all;
    std::pmr::unordered_map<std::uint64_t, std::pmr::vector<std::uint32_t>> cells;
  };

  // Cells far outside any picture fall together, which is slower and still right.
  static std::int64_t cell_of(double coordinate, int size_class) {
    constexpr double farthest = 1 << 30;
    return static_cast<std::int64_t>(
        std::clamp(std::floor(std::ldexp(coordinate, -size_class - 1)), -farthest, farthest));
  }
  static std::uint64_t key(std::int64_t column, std::int64_t row) {
    return static_cast<std::uint64_t>(column) << 32 ^ static_cast<std::uint32_t>(row);
  }

  template <class Covers>
  static bool any_in(const Class& in, int size_class, const Box& box, const Covers& covers) {
    const std::int64_t left = cell_of(box.x1, size_class) - 1, right = cell_of(box.x2 + 1, size_class);
    const std::int64_t top = cell_of(box.y1, size_class) - 1, bottom = cell_of(box.y2 + 1, size_class);
    if ((right - left + 1) * (bottom - top + 1) > static_cast<std::int64_t>(in.all.size())) {
      return std::ranges::any_of(in.all, covers);
    }
    for (std::int64_t row = top; row <= bottom; ++row) {
      for (std::int64_t column = left; column <= right; ++column) {
        const auto cell = in.cells.find(key(column, row));
        if (cell != in.cells.end() && std::ranges::any_of(cell->second, covers)) return true;
      }
    }
    return false;
  }

  std::pmr::map<int, Class> classes_;
};

}  // namespace

std::vector<std::uint32_t> suppress(std::span<const ScoredBox> boxes, double threshold, Overlap overlap) {
  std::vector<std::uint32_t> kept;
  if (boxes.empty()) return kept;
  kept.reserve(boxes.size());
  std::vector<float> scores;
  scores.reserve(boxes.size());
  for (const ScoredBox& scored : boxes) scores.push_back(scored.score);
  std::vector<std::uint32_t> order = numpy_order(scores);
  std::ranges::reverse(order);

  // Cells are many and small, and go all at once.
  std::array<std::byte, 1 << 15> room;
  std::pmr::monotonic_buffer_resource memory(room.data(), room.size());
  Kept better(memory);
  for (const std::uint32_t i : order) {
    const Box& box = boxes[i].box;
    const auto covers = [&](std::uint32_t other) { return overlap_of(boxes[other].box, box, overlap) > threshold; };
    if (better.any(box, threshold, overlap, covers)) continue;
    kept.push_back(i);
    better.add(box, i);
  }
  return kept;
}

}  // namespace wajah
