// The plain definition compares every box with every better one. A crowd gives tens of thousands of candidates, so kept
// boxes are filed by their upper left corner in a grid whose cells are as large as the largest box: what overlaps a box
// has its corner in one of the nine cells around it. The result is the same.
#include <wajah/detect/nms.hpp>

#include "numpy_order.hpp"

#include <algorithm>
#include <cmath>

namespace wajah {

namespace {

double area(const Box& box) { return (box.width() + 1) * (box.height() + 1); }

double overlap_of(const Box& a, const Box& b, Overlap kind) {
  const double width = std::max(0.0, std::min(a.x2, b.x2) - std::max(a.x1, b.x1) + 1);
  const double height = std::max(0.0, std::min(a.y2, b.y2) - std::max(a.y1, b.y1) + 1);
  const double common = width * height;
  return common / (kind == Overlap::of_smaller ? std::min(area(a), area(b)) : area(a) + area(b) - common);
}

class Grid {
 public:
  explicit Grid(std::span<const ScoredBox> boxes) {
    for (const ScoredBox& scored : boxes) {
      const Box& box = scored.box;
      left_ = std::min(left_, box.x1);
      top_ = std::min(top_, box.y1);
      right_ = std::max(right_, box.x1);
      bottom_ = std::max(bottom_, box.y1);
      cell_ = std::max({cell_, box.width() + 1, box.height() + 1});
    }
    // Coarser cells stay correct, and keep a few far-flung small boxes from asking for a huge grid.
    cell_ = std::max({cell_, (right_ - left_) / max_side, (bottom_ - top_) / max_side});
    columns_ = column(right_) + 2;
    cells_.resize((row(bottom_) + 2) * columns_);
  }

  void add(const Box& box, std::uint32_t index) { cells_[row(box.y1) * columns_ + column(box.x1)].push_back(index); }

  template <class Visit>
  [[nodiscard]] bool any_near(const Box& box, Visit visit) const {
    for (std::size_t y = row(box.y1) - 1; y <= row(box.y1) + 1; ++y) {
      for (std::size_t x = column(box.x1) - 1; x <= column(box.x1) + 1; ++x) {
        if (std::ranges::any_of(cells_[y * columns_ + x], visit)) return true;
      }
    }
    return false;
  }

 private:
  static constexpr double max_side = 256;

  // One empty cell of border on every side, so that the nine cells always exist.
  [[nodiscard]] std::size_t column(double x) const { return static_cast<std::size_t>((x - left_) / cell_) + 1; }
  [[nodiscard]] std::size_t row(double y) const { return static_cast<std::size_t>((y - top_) / cell_) + 1; }

  double left_ = INFINITY, top_ = INFINITY, right_ = -INFINITY, bottom_ = -INFINITY, cell_ = 1;
  std::size_t columns_ = 0;
  std::vector<std::vector<std::uint32_t>> cells_;
};

}  // namespace

std::vector<std::uint32_t> suppress(std::span<const ScoredBox> boxes, double threshold, Overlap overlap) {
  std::vector<std::uint32_t> kept;
  if (boxes.empty()) return kept;
  std::vector<float> scores;
  for (const ScoredBox& scored : boxes) scores.push_back(scored.score);
  std::vector<std::uint32_t> order = numpy_order(scores);
  std::ranges::reverse(order);

  Grid grid(boxes);
  for (const std::uint32_t i : order) {
    const Box& box = boxes[i].box;
    const bool covered = grid.any_near(
        box, [&](std::uint32_t better) { return overlap_of(boxes[better].box, box, overlap) > threshold; });
    if (covered) continue;
    kept.push_back(i);
    grid.add(box, i);
  }
  return kept;
}

}  // namespace wajah
