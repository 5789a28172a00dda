// Area resizing into a network's input, with the arithmetic of OpenCV 4's cv::resize(INTER_AREA), bit for bit.
//
// MTCNN's thresholds and everybody's recorded boxes come from pictures resized this way, and a byte that rounds
// otherwise moves a box. Shrinking averages areas (2x2 rounding halves up, other whole ratios rounding to even, the
// rest with float weights); as soon as one side grows, OpenCV interpolates between pixels chosen by area instead.
#pragma once

#include <wajah/cpu.hpp>
#include <wajah/detect/resample.hpp>
#include <wajah/image.hpp>

#include <span>
#include <vector>

namespace wajah {

// Taps with the memory they lie in, which is kept when they are made anew.
class TapTable {
 public:
  // Averages of `from` pixels over `to` equal areas (from >= to), of which whole ones are only summed.
  void make_areas(int from, int to, double scale, bool whole);
  // OpenCV's enlarging by INTER_AREA: between pixel floor(i * from / to) and the next.
  void make_between(int from, int to, double scale, double inverse);

  // The taps for a source of `size` pixels in which this table's pixel 0 is pixel `shift`; those outside go.
  void clip(int shift, int size);

  [[nodiscard]] Taps view(int first_output = 0) const;

 private:
  void clear(int outputs, int most_each);
  void add(int first) {
    first_.push_back(first), count_.push_back(0), start_.push_back(static_cast<int>(weights_.size()));
  }
  void weigh(float weight) { ++count_.back(), weights_.push_back(weight); }

  std::vector<int> first_, count_, start_;
  std::vector<float> weights_;
};

// How a picture of one size becomes one of another: weighted sums of columns, then of rows, times `scale`.
struct ResizePlan {
  TapTable columns, rows;
  float scale = 1.0F;
  Rounding rounding = Rounding::none;
};

// to_bytes: whether sums are rounded to whole numbers. Sizes are positive. The second form makes `plan` that plan,
// in the memory it has.
[[nodiscard]] ResizePlan resize_plan(int from_width, int from_height, int to_width, int to_height, bool to_bytes);
void make_plan(ResizePlan& plan, int from_width, int from_height, int to_width, int to_height, bool to_bytes);

// Keeps its tables and scratch between calls.
class AreaResizer {
 public:
  explicit AreaResizer(const Cpu& cpu) : cpu_(cpu) {}

  // Rows [first_row, first_row + y.h) of the picture resized to width x height bytes, as (byte - 127.5) * 0.0078125. y
  // is one dense picture of 3 channels, `width` wide.
  void rows(const Image& image, int width, int height, int first_row, View<float> y);

  // Each window resized to y's height and width, one image of y each, not rounded to bytes: the original cuts crops
  // into arrays of doubles. Windows must have a positive size.
  void crops(const Image& image, std::span<const CropWindow> windows, View<float> y);

 private:
  void run();

  Cpu cpu_;
  std::vector<ResizePlan> plans_;
  std::vector<ResampleJob> jobs_;
  Buffer scratch_;
};

}  // namespace wajah
