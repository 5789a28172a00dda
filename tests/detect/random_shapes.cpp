// The kernels that resize pictures, on pictures and tables of random sizes, against the plainest loops: to the last
// bit.
#include "random_shapes.hpp"

#include <wajah/detect/resize.hpp>
#include <wajah/detect/shrink.hpp>

#include <cmath>
#include <memory>
#include <vector>

using namespace wajah;

namespace {

using Bytes = GuardedMapOf<std::uint8_t>;

// Channel c of output (i, j) before it is scaled.
float weighted_sum(ConstView<std::uint8_t> x, const Taps& columns, const Taps& rows, int i, int j, int c) {
  float total = 0;
  for (int r = 0; r < rows.count[j]; ++r) {
    float sum = 0;
    for (int k = 0; k < columns.count[i]; ++k) {
      const float pixel = x.pixel(0, rows.first[j] + r, columns.first[i] + k)[c];
      sum += columns.weights[columns.start[i] + k] * pixel;
    }
    total += rows.weights[rows.start[j] + r] * sum;
  }
  return total;
}

float rounded(float v, float scale, Rounding rounding) {
  v *= scale;
  if (rounding == Rounding::half_even) return std::nearbyint(v);
  return rounding == Rounding::half_up ? std::trunc(v + 0.5F) : v;
}

// Taps in memory that ends, or begins, where none must be read.
class GuardedTaps {
 public:
  GuardedTaps(const Taps& taps, int outputs, Touch touch)
      : first_(taps.first, size(outputs), touch),
        count_(taps.count, size(outputs), touch),
        start_(taps.start, size(outputs), touch),
        weights_(taps.weights, end(taps, outputs) * sizeof(float), touch) {}

  [[nodiscard]] Taps view() const {
    return {first_.as<int>(), count_.as<int>(), start_.as<int>(), weights_.as<float>()};
  }

 private:
  static std::size_t size(int outputs) { return static_cast<std::size_t>(outputs) * sizeof(int); }
  static std::size_t end(const Taps& taps, int outputs) {
    int last = 0;
    for (int i = 0; i < outputs; ++i) last = std::max(last, taps.start[i] + taps.count[i]);
    return static_cast<std::size_t>(last);
  }

  GuardedBytes first_, count_, start_, weights_;
};

void check_resample(Draw& draw) {
  const int width = draw.up_to(60), height = draw.up_to(40), to_width = draw.up_to(70), to_height = draw.up_to(50);
  ResizePlan plan = resize_plan(width, height, to_width, to_height, draw.chance());
  // As crops do: the picture begins or ends within the window, or lies outside it.
  const Shape picture{1, draw.up_to(height), draw.up_to(width), 3};
  plan.columns.clip(draw.between(-width, picture.w), picture.w);
  plan.rows.clip(draw.between(-height, picture.h), picture.h);
  const Touch touch = draw.touch();
  Bytes x(picture, 0, touch);
  x.fill(draw.random());
  const GuardedTaps columns(plan.columns.view(), to_width, touch), rows(plan.rows.view(), to_height, touch);
  const Shape size{1, to_height, to_width, 3};
  GuardedMap expected(size, 0, touch);
  for (int j = 0; j < to_height; ++j) {
    for (int i = 0; i < to_width; ++i) {
      for (int c = 0; c < 3; ++c) {
        const float sum = weighted_sum(x.view(), columns.view(), rows.view(), i, j, c);
        expected.view().pixel(0, j, i)[c] = (rounded(sum, plan.scale, plan.rounding) - 127.5F) * 0.0078125F;
      }
    }
  }
  for_each_isa(draw, [&](const Cpu& cpu, const std::string& name) {
    GuardedMap y(size, 0, touch);
    const ResampleJob job{x.view(), y.view(), columns.view(), rows.view(), plan.scale, plan.rounding};
    const std::ptrdiff_t each = resample_scratch(picture.w, to_width);
    GuardedMap scratch({1, 1, 1, static_cast<int>(each * cpu.threads())}, 0, touch);
    resample(cpu, {&job, 1, scratch.view().data, each});
    check_close(fmt::format("resample {}x{} of {}x{} to {}x{} on {}", picture.w, picture.h, width, height, to_width,
                            to_height, name),
                y.view(), expected.view(), {0, 0});
  });
}

struct Level {
  Level(int width, int height, int to_width, int to_height, Touch touch)
      : plan(resize_plan(width, height, to_width, to_height, true)),
        columns(plan.columns.view(), to_width, touch),
        rows(plan.rows.view(), to_height, touch),
        y({1, to_height, to_width, 4}, 0, touch) {}

  [[nodiscard]] ShrinkLevel job() const { return {columns.view(), rows.view(), y.view(), plan.scale, plan.rounding}; }

  // How many of its numbers are not those of the definition.
  [[nodiscard]] std::size_t wrong(ConstView<std::uint8_t> x) const {
    std::size_t count = 0;
    for (int j = 0; j < y.view().shape.h; ++j) {
      for (int i = 0; i < y.view().shape.w; ++i) {
        for (int c = 0; c < 3; ++c) {
          const float sum = weighted_sum(x, columns.view(), rows.view(), i, j, c);
          count += static_cast<float>(y.view().pixel(0, j, i)[c]) != rounded(sum, plan.scale, plan.rounding) ? 1 : 0;
        }
      }
    }
    return count;
  }

  ResizePlan plan;
  GuardedTaps columns, rows;
  Bytes y;
};

void check_shrink(Draw& draw) {
  const int width = draw.up_to(70), height = draw.up_to(50), count = draw.up_to(4);
  const Touch touch = draw.touch();
  Bytes x({1, height, width, 3}, 0, touch);
  x.fill(draw.random());
  std::vector<std::pair<int, int>> sizes;
  for (int i = 0; i < count; ++i) sizes.emplace_back(draw.up_to(width), draw.up_to(height));
  for_each_isa(draw, [&](const Cpu& cpu, const std::string& name) {
    std::vector<std::unique_ptr<Level>> levels;
    std::vector<ShrinkLevel> jobs;
    std::ptrdiff_t widest = 0, all = 0;
    for (const auto& [to_width, to_height] : sizes) {
      levels.push_back(std::make_unique<Level>(width, height, to_width, to_height, touch));
      jobs.push_back(levels.back()->job());
      widest = std::max<std::ptrdiff_t>(widest, to_width);
      all += to_width;
    }
    const std::ptrdiff_t each = shrink_scratch(width, widest, all, count);
    GuardedMap scratch({1, 1, 1, static_cast<int>(each * cpu.threads())}, 0, touch);
    std::vector<ShrinkWalk> walks(static_cast<std::size_t>(count * cpu.threads()));
    shrink(cpu, {x.view(), jobs.data(), count, walks.data(), scratch.view().data, each});
    for (const auto& level : levels) {
      CHECK_MESSAGE(level->wrong(x.view()) == 0, "shrink " << width << "x" << height << " to "
                                                           << level->y.view().shape.w << "x" << level->y.view().shape.h
                                                           << " on " << name);
    }
  });
}

}  // namespace

TEST_CASE("resample: random shapes") {
  Draw draw(1);
  for (int i = shapes_to_draw(); i > 0; --i) check_resample(draw);
}

TEST_CASE("shrink: random shapes") {
  Draw draw(2);
  for (int i = shapes_to_draw(); i > 0; --i) check_shrink(draw);
}
