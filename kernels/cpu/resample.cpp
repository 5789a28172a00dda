// Step 1, plain: for every source row the weighted sums of its columns, then the weighted sum of rows. 25 million
// source pixels a full-HD photo, because every level of the pyramid starts from the photo itself. Step 2: a pixel is
// three floats, so one register holds as many pixels (padded to four) as it has room for. They are taken from
// neighbouring rows at the same column: then all share one weight, whatever the ratio.
#include <wajah/detect/resample.hpp>

#include "area.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

// sums: for every output column rows_at_once pixels of four floats.
void sum_columns(const ResampleJob& job, const Rows& rows, float* sums) {
  const int last = job.x.shape.w - 1;
  for (int i = 0; i < job.y.shape.w; ++i, sums += lanes) {
    const float* weights = job.columns.weights + job.columns.start[i];
    const int first = job.columns.first[i], count = job.columns.count[i];
    const int safe = first + count > last ? last - first : count;
    Floats sum{};
    for (int k = 0; k < safe; ++k) sum += unfused(column(rows, first + k) * weights[k]);
    for (int k = safe < 0 ? 0 : safe; k < count; ++k) sum += unfused(column<3>(rows, first + k) * weights[k]);
    __builtin_memcpy(sums, &sum, sizeof sum);
  }
}

WAJAH_VEC Pixel finished(Pixel v, const ResampleJob& job) {
  return (rounded<Whole>(v, job.scale, job.rounding) - 127.5F) * 0.0078125F;
}

void finish_row(const ResampleJob& job, const float* total, float* y) {
  const int last = job.y.shape.w - 1;
  for (int i = 0; i < last; ++i) store(y + 3 * i, finished(load(total + 4 * i), job));
  const Pixel v = finished(load(total + 4 * last), job);  // its fourth float would lie in another part's row
  for (int c = 0; c < 3; ++c) y[3 * last + c] = v[c];
}

// The column sums of consecutive source rows, made a few at a time as the walk down the picture asks for them.
struct Window {
  const ResampleJob& job;
  float* sums;
  int first = -1;

  WAJAH_VEC const float* row(int y) {
    if (first < 0 || y < first || y >= first + rows_at_once) {
      first = y;
      Rows rows;
      const int bottom = job.x.shape.h - 1;
      for (int r = 0; r < rows_at_once; ++r) rows.row[r] = job.x.pixel(0, y + r < bottom ? y + r : bottom, 0);
      sum_columns(job, rows, sums);
    }
    return sums + 4 * (y - first);
  }
};

void resample_job(const ResampleJob& job, float* scratch) {
  const int width = job.y.shape.w;
  float* total = scratch;
  Window window{job, scratch + 4 * width};
  for (int j = 0; j < job.y.shape.h; ++j) {
    const float* weights = job.rows.weights + job.rows.start[j];
    for (int i = 0; i < width; ++i) store(total + 4 * i, Pixel{});
    for (int k = 0; k < job.rows.count[j]; ++k) {
      const float* sums = window.row(job.rows.first[j] + k);
      for (int i = 0; i < width; ++i) {
        store(total + 4 * i, load(total + 4 * i) + unfused(load(sums + lanes * i) * weights[k]));
      }
    }
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
