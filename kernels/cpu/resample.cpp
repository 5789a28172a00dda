// Step 1, plain: for every source row the weighted sums of its columns, then the weighted sum of rows. Step 2: a pixel is
// three floats, so one register holds as many pixels (padded to four) as it has room for. They are taken from
// neighbouring rows at the same column: then all share one weight, whatever the ratio. Step 3: those pixels are made
// floats once, not for every sum they are part of (enlarging needs each four times), and the sums of columns are laid
// out as rows, so that the sums of rows take whole registers too.
#include <wajah/detect/resample.hpp>

#include "area.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

// The column sums of consecutive source rows, made a few at a time as the walk down the picture asks for them.
class Window {
 public:
  WAJAH_VEC Window(const ResampleJob& job, float* scratch)
      : job_(job), step_(4 * padded(job.y.shape.w)), sums_(scratch), source_(scratch + rows_at_once * step_) {
    begin_ = job.x.shape.w;
    for (int i = 0; i < job.y.shape.w; ++i) {
      const int first = job.columns.first[i], count = job.columns.count[i];
      if (count == 0) continue;
      begin_ = first < begin_ ? first : begin_;
      end_ = first + count > end_ ? first + count : end_;
    }
  }

  WAJAH_VEC const float* row(int y) {
    if (first_ < 0 || y < first_ || y >= first_ + rows_at_once) {
      first_ = y;
      fetch(y + rows_at_once);
      widen_rows(job_.x, y, begin_, end_, source_);
      sum_columns(job_.columns, job_.y.shape.w, source_ - static_cast<ptrdiff_t>(begin_) * lanes, sums_, step_);
    }
    return sums_ + step_ * (y - first_);
  }

 private:
  // Begins to load the rows after those that are worked on: of a small crop each lies in another page of the photo, and
  // no hardware guesses which.
  WAJAH_VEC void fetch(int y) const {
    for (int r = y; r < y + rows_at_once && r < job_.x.shape.h; ++r) {
      const uint8_t* end = job_.x.pixel(0, r, end_);
      for (const uint8_t* p = job_.x.pixel(0, r, begin_); p < end; p += alignment) __builtin_prefetch(p);
    }
  }

  const ResampleJob& job_;
  ptrdiff_t step_;
  float *sums_, *source_;
  int begin_, end_ = 0;  // columns that any sum needs
  int first_ = -1;
};

WAJAH_VEC Pixel finished(Pixel v, const ResampleJob& job) {
  return (rounded<Whole>(v, job.scale, job.rounding) - 127.5F) * 0.0078125F;
}

void finish_row(const ResampleJob& job, const float* total, float* y) {
  const int last = job.y.shape.w - 1;
  for (int i = 0; i < last; ++i) store(y + 3 * i, finished(load(total + 4 * i), job));
  const Pixel v = finished(load(total + 4 * last), job);  // its fourth float would lie in another part's row
  for (int c = 0; c < 3; ++c) y[3 * last + c] = v[c];
}

void resample_job(const ResampleJob& job, float* scratch) {
  const int width = job.y.shape.w;
  float* total = scratch;
  Window window(job, scratch + 4 * padded(width));
  for (int j = 0; j < job.y.shape.h; ++j) {
    const float* weights = job.rows.weights + job.rows.start[j];
    clear_row(total, width);
    for (int k = 0; k < job.rows.count[j]; ++k) add_row(total, window.row(job.rows.first[j] + k), weights[k], width);
    finish_row(job, total, job.y.pixel(0, j, 0));
  }
}

}  // namespace

void resample(const ResampleArgs& args, Part part) {
  for (ptrdiff_t i = part.begin(args.count); i < part.end(args.count); ++i) {
    resample_job(args.jobs[i], args.scratch + part.index * args.scratch_floats);
  }
}

}  // namespace wajah::WAJAH_KERNEL_ISA
