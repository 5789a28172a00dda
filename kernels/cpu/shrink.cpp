// Every level of the pyramid starts from the photo itself, so each byte of it is needed a dozen times. Resampling level
// by level makes a float of it each time anew, which costs more than the sums. Here a few rows are made floats once, stay
// in L2, and feed all levels before the walk goes on: a source pixel costs a level one load, one product and one sum.
//
// A register holds as many pixels of four floats as it has room for, from neighbouring rows at the same column: all
// share one weight, whatever the ratio. The sums down the columns then take pixels of one row side by side.
#include <wajah/detect/shrink.hpp>

#include "area.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

class Walk {
 public:
  WAJAH_VEC Walk(const ShrinkArgs& args, Part part)
      : args_(args), walks_(args.walks + static_cast<ptrdiff_t>(part.index) * args.count) {
    source_ = args.scratch + part.index * args.scratch_floats;
    sums_ = source_ + static_cast<ptrdiff_t>(lanes) * args.x.shape.w;
    int widest = 0;
    for (int i = 0; i < args.count; ++i) widest = widest > args.levels[i].y.shape.w ? widest : args.levels[i].y.shape.w;
    step_ = 4 * padded(widest);
    float* totals = sums_ + rows_at_once * step_;
    for (int i = 0; i < args.count; ++i) {
      const ShrinkLevel& level = args.levels[i];
      walks_[i] = {totals, static_cast<int>(part.begin(level.y.shape.h)), static_cast<int>(part.end(level.y.shape.h))};
      totals += 4 * padded(level.y.shape.w);
      clear(i);
    }
  }

  void run() {
    for (int row = next_row(); row < args_.x.shape.h; row = next_row()) {
      widen_rows(row);
      for (int i = 0; i < args_.count; ++i) feed(i, row);
    }
  }

 private:
  // The first source row that a level still waits for and that has not been fed.
  WAJAH_VEC int next_row() const {
    int first = args_.x.shape.h;
    for (int i = 0; i < args_.count; ++i) {
      if (walks_[i].row == walks_[i].end) continue;
      const int begin = args_.levels[i].rows.first[walks_[i].row];
      first = begin < first ? begin : first;
    }
    return first > done_ ? first : done_;
  }

  // Makes floats of the rows from `row` on; past the end of the picture its last row again.
  void widen_rows(int row) {
    done_ = row + rows_at_once;
    wajah::WAJAH_KERNEL_ISA::widen_rows(args_.x, row, 0, args_.x.shape.w, source_);
  }

  // Adds the widened rows, of which `first` is the first, to level i's.
  void feed(int i, int first) {
    const ShrinkLevel& level = args_.levels[i];
    ShrinkWalk& walk = walks_[i];
    if (walk.row == walk.end || level.rows.first[walk.row] >= first + rows_at_once) return;
    sum_columns(level.columns, level.y.shape.w, source_, sums_, step_);
    for (int r = 0; r < rows_at_once && first + r < args_.x.shape.h; ++r) {
      while (walk.row < walk.end && level.rows.first[walk.row] <= first + r) {
        const int tap = first + r - level.rows.first[walk.row];
        add_row(walk.total, sums_ + r * step_, level.rows.weights[level.rows.start[walk.row] + tap], level.y.shape.w);
        if (tap + 1 < level.rows.count[walk.row]) break;
        finish_row(level, walk.total, level.y.pixel(0, walk.row, 0));
        ++walk.row;
        clear(i);
      }
    }
  }

  static void finish_row(const ShrinkLevel& level, const float* total, uint8_t* y) {
    using Bytes = uint8_t __attribute__((vector_size(lanes)));
    const int width = level.y.shape.w;
    for (int i = 0; i < width; i += rows_at_once) {
      const Floats v = rounded<Ints>(load_all(total + 4 * i), level.scale, level.rounding);
      const Bytes bytes = __builtin_convertvector(__builtin_convertvector(v, Ints), Bytes);
      const int pixels = width - i < rows_at_once ? width - i : rows_at_once;
      __builtin_memcpy(y + 4 * i, &bytes, pixels == rows_at_once ? sizeof bytes : 4 * static_cast<size_t>(pixels));
    }
  }

  WAJAH_VEC void clear(int i) { clear_row(walks_[i].total, args_.levels[i].y.shape.w); }

  const ShrinkArgs& args_;
  ShrinkWalk* walks_;
  float *source_, *sums_;  // a column of rows_at_once pixels after the other; rows_at_once rows of a level's width
  ptrdiff_t step_;         // floats from row to row of sums_
  int done_ = 0;           // source rows
};

}  // namespace

void shrink(const ShrinkArgs& args, Part part) { Walk(args, part).run(); }

}  // namespace wajah::WAJAH_KERNEL_ISA
