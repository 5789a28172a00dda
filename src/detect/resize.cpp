// The tables follow computeResizeAreaTab and the area branch of hal::resize in OpenCV's imgproc/src/resize.cpp, down to
// which numbers are float and which double.
#include <wajah/detect/resize.hpp>

#include "enlarge.hpp"

#include <algorithm>
#include <cfloat>
#include <cmath>

namespace wajah {

namespace {

bool is_whole(double ratio) { return std::abs(ratio - std::nearbyint(ratio)) < DBL_EPSILON; }

}  // namespace

void TapTable::clear(int outputs, int most_each) {
  const auto count = static_cast<std::size_t>(outputs);
  for (auto* ints : {&first_, &count_, &start_}) {
    ints->clear();
    ints->reserve(count);
  }
  weights_.clear();
  weights_.reserve(count * static_cast<std::size_t>(most_each));
}

void TapTable::make_areas(int from, int to, double scale, bool whole) {
  constexpr double negligible = 1e-3;
  clear(to, static_cast<int>(scale) + 2);
  for (int i = 0; i < to; ++i) {
    if (whole) {
      const int size = static_cast<int>(std::nearbyint(scale));
      add(i * size);
      for (int k = 0; k < size; ++k) weigh(1.0F);
      continue;
    }
    const double begin = i * scale, end = begin + scale, cell = std::min(scale, from - begin);
    const int last = std::min(static_cast<int>(std::floor(end)), from - 1);
    const int first = std::min(static_cast<int>(std::ceil(begin)), last);
    const bool before = first - begin > negligible;
    add(before ? first - 1 : first);
    if (before) weigh(static_cast<float>((first - begin) / cell));
    for (int k = first; k < last; ++k) weigh(static_cast<float>(1.0 / cell));
    if (end - last > negligible) weigh(static_cast<float>(std::min({end - last, 1.0, cell}) / cell));
  }
}

void TapTable::make_between(int from, int to, double scale, double inverse) {
  clear(to, 2);
  for (int i = 0; i < to; ++i) {
    const int first = static_cast<int>(std::floor(i * scale));
    float fraction = static_cast<float>((i + 1) - (first + 1) * inverse);
    fraction = fraction <= 0 ? 0.0F : fraction - std::floor(fraction);
    add(std::min(first, from - 1));
    if (first >= from - 1) {
      weigh(1.0F);
    } else {
      weigh(1.0F - fraction);
      weigh(fraction);
    }
  }
}

void TapTable::clip(int shift, int size) {
  for (std::size_t i = 0; i < first_.size(); ++i) {
    const int begin = std::max(first_[i] + shift, 0), end = std::min(first_[i] + shift + count_[i], size);
    start_[i] += begin < end ? begin - (first_[i] + shift) : 0;
    first_[i] = begin < end ? begin : 0;
    count_[i] = std::max(end - begin, 0);
  }
}

Taps TapTable::view(int first_output) const {
  return {first_.data() + first_output, count_.data() + first_output, start_.data() + first_output, weights_.data()};
}

void make_plan(ResizePlan& plan, int from_width, int from_height, int to_width, int to_height, bool to_bytes) {
  const double inverse_x = static_cast<double>(to_width) / from_width, scale_x = 1.0 / inverse_x;
  const double inverse_y = static_cast<double>(to_height) / from_height, scale_y = 1.0 / inverse_y;
  if (scale_x < 1 || scale_y < 1) {
    plan.columns.make_between(from_width, to_width, scale_x, inverse_x);
    plan.rows.make_between(from_height, to_height, scale_y, inverse_y);
    plan.scale = 1.0F;
    plan.rounding = Rounding::none;
    return;
  }
  const bool whole = is_whole(scale_x) && is_whole(scale_y);
  const double area = whole ? std::nearbyint(scale_x) * std::nearbyint(scale_y) : 1.0;
  const bool two_by_two = whole && std::nearbyint(scale_x) == 2 && std::nearbyint(scale_y) == 2;
  const Rounding to_byte = two_by_two ? Rounding::half_up : Rounding::half_even;
  plan.columns.make_areas(from_width, to_width, scale_x, whole);
  plan.rows.make_areas(from_height, to_height, scale_y, whole);
  plan.scale = 1.0F / static_cast<float>(area);
  plan.rounding = to_bytes ? to_byte : Rounding::none;
}

ResizePlan resize_plan(int from_width, int from_height, int to_width, int to_height, bool to_bytes) {
  ResizePlan plan;
  make_plan(plan, from_width, from_height, to_width, to_height, to_bytes);
  return plan;
}

void AreaResizer::run() {
  int widest = 0, source = 0;
  for (const ResampleJob& job : jobs_) {
    widest = std::max(widest, job.y.shape.w);
    source = std::max(source, job.x.shape.w);
  }
  const std::ptrdiff_t each = resample_scratch(source, widest);
  const std::size_t bytes = static_cast<std::size_t>(each * cpu_.threads()) * sizeof(float);
  if (scratch_.size() < bytes) scratch_ = Buffer(bytes);
  resample(cpu_, {jobs_.data(), static_cast<int>(jobs_.size()), scratch_.as<float>(), each});
}

void AreaResizer::rows(const Image& image, int width, int height, int first_row, View<float> y) {
  if (width > image.width || height > image.height) return enlarge_rows(image, width, height, first_row, y);
  jobs_.clear();
  if (plans_.empty()) plans_.emplace_back();
  ResizePlan& plan = plans_.front();
  make_plan(plan, image.width, image.height, width, height, true);
  const ConstView<std::uint8_t> photo(image.pixels.data(), {1, image.height, image.width, 3});
  for (int i = 0; i < cpu_.threads(); ++i) {
    const Part part{i, cpu_.threads()};
    const int begin = static_cast<int>(part.begin(y.shape.h)), end = static_cast<int>(part.end(y.shape.h));
    const View<float> band(y.pixel(0, begin, 0), {1, end - begin, width, 3});
    jobs_.push_back({photo, band, plan.columns.view(), plan.rows.view(first_row + begin), plan.scale, plan.rounding});
  }
  run();
}

void AreaResizer::crops(const Image& image, std::span<const CropWindow> windows, View<float> y) {
  jobs_.clear();
  const ConstView<std::uint8_t> photo(image.pixels.data(), {1, image.height, image.width, 3});
  if (plans_.size() < windows.size()) plans_.resize(windows.size());
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const CropWindow& window = windows[i];
    ResizePlan& plan = plans_[i];
    make_plan(plan, window.width, window.height, y.shape.w, y.shape.h, false);
    plan.columns.clip(window.x, image.width);
    plan.rows.clip(window.y, image.height);
    jobs_.push_back(
        {photo, y.images(static_cast<int>(i), 1), plan.columns.view(), plan.rows.view(), plan.scale, plan.rounding});
  }
  run();
}

}  // namespace wajah
