// resize_levels: all levels of the pyramid from a picture that lies on the card, in one launch.
// Step 1: a thread a pixel, which sums its own area of the picture. Of a level of 27 x 15 pixels a thread sums 5,000
// pixels one after the other, while most of the card is idle; and the bytes that neighbouring threads read at once lie
// up to 200 apart, each a line of the cache of its own.
// Step 2: sums of columns are made row by row, as the CPU makes them, so that 32 rows of an area are the work of a
// warp: a lane has a row, all lanes the same column and so the same number of pixels. A second step adds the rows in
// their order, which rounding depends on. What that gains is largest where a level is smallest.
// Step 3: a block brings its part of the picture to shared memory by words that lie side by side. The rows there are an
// odd number of words apart, so that the lanes' bytes are in different banks. Taps, some thirty operations in double,
// are worked out once a block for each of its columns and rows.
// Every level reads the picture once: for 1080p and 12 levels 75 MB, nearly all from the second-level cache, and five
// instructions a byte. On an H200 both are some 10 to 20 microseconds; a picture of floats would be read no faster.
#include <wajah/cuda_kernels.hpp>

#include "areas.hpp"

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int threads = 256, lanes = 32;
constexpr int most_columns = 64, most_rows = lanes;  // of a block's pixels
constexpr int sums_pitch = lanes + 1;                // a column's sums of rows; odd: in different banks

// How much of the picture a block has in shared memory at once. For the usual levels it is 27 KB; an area wider than
// that makes it more, and so wide that this is too much, there are fewer rows.
struct Stage {
  int pixels = 288, rows = lanes;

  __host__ __device__ int words() const {
    constexpr int beyond = 3;  // a row begins anywhere in a word
    return (3 * pixels + beyond + 3) / 4 | 1;
  }
};

// The pixels of a level that are one block's work.
struct Tiles {
  int columns, rows, across, down;

  __host__ __device__ Tiles(const Shape& picture, const LevelPixels& level, const Stage& stage)
      : columns(fitting(stage.pixels, picture.w, level.width, most_columns)),
        rows(fitting(stage.rows, picture.h, level.height, most_rows)),
        across((level.width + columns - 1) / columns),
        down((level.height + rows - 1) / rows) {}
  __host__ __device__ int count() const { return across * down; }

 private:
  // Areas side by side reach into one more pixel at either end.
  static __host__ __device__ int fitting(int room, int from, int to, int most) {
    const auto fit = static_cast<int>(static_cast<long long>(room - 2) * to / from);
    return fit < 1 ? 1 : fit > most ? most : fit;
  }
};

// Bytes are made floats by the float's own bits, which takes two of the fastest instructions instead of a slow one.
__device__ __forceinline__ float float_of(uint8_t byte) { return __uint_as_float(0x4B00'0000U | byte) - 8'388'608.0F; }

// A block's shared memory, in words.
struct Memory {
  static constexpr int sums = 3 * most_columns * sums_pitch, taps = sizeof(Taps1d) / sizeof(unsigned);
  static_assert(sizeof(Taps1d) % sizeof(unsigned) == 0);

  Shared<float> row_sums;  // of each of the three channels and every column, row by row
  Shared<Taps1d> across, down;
  Shared<unsigned> picture;

  __device__ explicit Memory(Shared<unsigned> words)
      : row_sums(shared_cast<float>(words)),
        across(shared_cast<Taps1d>(words + sums)),
        down(shared_cast<Taps1d>(words + (sums + most_columns * taps))),
        picture(words + fixed()) {}
  static constexpr __host__ __device__ int fixed() { return sums + (most_columns + most_rows) * taps; }
};

class Resize {
 public:
  __device__ Resize(const ResizeLevelsArgs& args, const LevelPixels& level, const Tiles& tiles, const Stage& stage,
                    int tile, const Memory& memory)
      : picture_(args.x),
        level_(level),
        memory_(memory),
        pitch_(stage.words()),
        at_once_(stage.rows),
        column_(tile % tiles.across * tiles.columns),
        row_(tile / tiles.across * tiles.rows),
        columns_(min(tiles.columns, level.width - column_)),
        rows_(min(tiles.rows, level.height - row_)) {}

  __device__ void run() const {
    const Resizing how(picture_.shape.w, picture_.shape.h, level_.width, level_.height);
    const int t = thread();
    if (t < columns_) memory_.across[t] = how.taps(how.across, column_ + t);
    if (t >= most_columns && t - most_columns < rows_) {
      memory_.down[t - most_columns] = how.taps(how.down, row_ + t - most_columns);
    }
    __syncthreads();
    const Taps1d left = memory_.across[0], right = memory_.across[columns_ - 1];
    const Taps1d top = memory_.down[0], bottom = memory_.down[rows_ - 1];
    const int width = right.first + right.count - left.first, end = bottom.first + bottom.count;
    const float scale = how.scale();
    const bool half_up = how.half_up();
    float total[3] = {0, 0, 0};  // kept from one part of the rows to the next, where a block has one row of pixels
    for (int first = top.first; first < end; first += at_once_) {
      const int count = min(at_once_, end - first);
      bring(first, count, left.first, width);
      __syncthreads();
      sum_columns(first, count, left.first);
      __syncthreads();
      sum_rows(first, count, total, scale, half_up);
    }
  }

 private:
  static __device__ int thread() { return static_cast<int>(threadIdx.x); }
  static __device__ int lane() { return thread() % lanes; }

  // Where a row begins in a word.
  __device__ int shift(int row, int left) const {
    return static_cast<int>(reinterpret_cast<uintptr_t>(picture_.pixel(0, row, left)) % 4);
  }

  __device__ void bring(int first, int count, int left, int width) const {
    const uint8_t* const end = picture_.pixel(0, picture_.shape.h, 0);
    for (int row = thread() / lanes; row < count; row += threads / lanes) {
      const int before = shift(first + row, left);
      const uint8_t* const from = picture_.pixel(0, first + row, left) - before;
      for (int i = lane(); 4 * i < before + 3 * width; i += lanes) {
        copy_async4(memory_.picture + (row * pitch_ + i), from + 4 * i,
                    static_cast<int>(min(ptrdiff_t{4}, end - (from + 4 * i))));
      }
    }
    commit_copies();
    wait_for_copies<0>();
  }

  // Every row's sum for each column.
  __device__ void sum_columns(int first, int count, int left) const {
    if (lane() >= count) return;
    const Shared<const uint8_t> row =
        shared_cast<uint8_t>(memory_.picture + lane() * pitch_) + shift(first + lane(), left);
    for (int column = thread() / lanes; column < columns_; column += threads / lanes) {
      const Taps1d taps = memory_.across[column];
      Shared<const uint8_t> pixel = row + 3 * (taps.first - left);
      float sum[3] = {0, 0, 0};
      const auto add = [&](float weight) {
#pragma unroll
        for (int c = 0; c < 3; ++c) sum[c] = __fadd_rn(sum[c], __fmul_rn(weight, float_of(pixel[c])));
        pixel += 3;
      };
      if (taps.has_before) add(taps.before);
      const int between = taps.count - (taps.has_before ? 1 : 0) - (taps.has_after ? 1 : 0);
#pragma unroll 4
      for (int k = 0; k < between; ++k) add(taps.middle);
      if (taps.has_after) add(taps.after);
#pragma unroll
      for (int c = 0; c < 3; ++c) memory_.row_sums[(c * most_columns + column) * sums_pitch + lane()] = sum[c];
    }
  }

  // Pixels add what there is of their rows, and are written when that was the last.
  __device__ void sum_rows(int first, int count, float (&total)[3], float scale, bool half_up) const {
    for (int i = thread(); i < columns_ * rows_; i += threads) {
      const int row = i / columns_, column = i % columns_;
      const Taps1d taps = memory_.down[row];
      if (first <= taps.first) total[0] = total[1] = total[2] = 0;
      for (int y = max(first, taps.first); y < min(first + count, taps.first + taps.count); ++y) {
        const float weight = taps.weight(y - taps.first);
#pragma unroll
        for (int c = 0; c < 3; ++c) {
          const float sum = memory_.row_sums[(c * most_columns + column) * sums_pitch + y - first];
          total[c] = __fadd_rn(total[c], __fmul_rn(sum, weight));
        }
      }
      if (first + count < taps.first + taps.count) continue;
      write(column_ + column, row_ + row, total, scale, half_up);
    }
  }

  __device__ void write(int column, int row, const float (&total)[3], float scale, bool half_up) const {
    uint8_t* const pixel = level_.row(row) + 3 * column;
#pragma unroll
    for (int c = 0; c < 3; ++c) {
      const float value = __fmul_rn(total[c], scale);
      pixel[c] = static_cast<uint8_t>(half_up ? truncf(__fadd_rn(value, 0.5F)) : rintf(value));
    }
    if (column < level_.width - 1) return;
    for (uint8_t* rest = pixel + 3; rest < level_.row(row + 1); ++rest) *rest = 0;
  }

  ConstView<uint8_t> picture_;
  LevelPixels level_;
  Memory memory_;
  int pitch_, at_once_;
  int column_, row_, columns_, rows_;
};

__global__ void __launch_bounds__(threads) resize_levels_kernel(ResizeLevelsArgs args, Stage stage) {
  wait_for_earlier();
  WAJAH_DYNAMIC_SHARED(unsigned, words, Memory::fixed() + stage.rows * stage.words());
  int level = 0, tile = static_cast<int>(blockIdx.x);
  Tiles tiles(args.x.shape, args.levels[0], stage);
  while (tile >= tiles.count()) {
    tile -= tiles.count();
    tiles = Tiles(args.x.shape, args.levels[++level], stage);
  }
  Resize(args, args.levels[level], tiles, stage, tile, Memory(words)).run();
}

// What the widest area of the levels needs.
Stage stage_for(const ResizeLevelsArgs& args) {
  constexpr int most_words = 16 * 1024;
  Stage stage;
  for (int i = 0; i < args.count; ++i) {
    const int width = args.levels[i].width;
    stage.pixels = max(stage.pixels, (args.x.shape.w + width - 1) / width + 2);
  }
  while (stage.rows > 1 && stage.rows * stage.words() > most_words) stage.rows /= 2;
  return stage;
}

}  // namespace

void resize_levels(const ResizeLevelsArgs& args, const Launch& on) {
  const Stage stage = stage_for(args);
  int tiles = 0;
  for (int i = 0; i < args.count; ++i) tiles += Tiles(args.x.shape, args.levels[i], stage).count();
  launch("resize_levels", resize_levels_kernel, dim3{static_cast<unsigned>(tiles)}, dim3{threads},
         static_cast<size_t>(Memory::fixed() + stage.rows * stage.words()) * sizeof(unsigned), on, args, stage);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
