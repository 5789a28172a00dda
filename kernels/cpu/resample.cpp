// Step 1, plain: for every source row the weighted sums of its columns, then the weighted sum of rows. 25 million
// source pixels a full-HD photo, because every level of the pyramid starts from the photo itself. Step 2: a pixel is
// three floats, so one register holds as many pixels (padded to four) as it has room for. They are taken from
// neighbouring rows at the same column: then all share one weight, whatever the ratio. The arithmetic must not be
// fused: an FMA rounds once where OpenCV rounds twice, and a rounding boundary moves a byte.
#include <wajah/detect/resample.hpp>

#include <vec.hpp>

namespace wajah::WAJAH_KERNEL_ISA {

namespace {

constexpr int rows_at_once = lanes / 4;

using Pixel = float __attribute__((vector_size(16)));
using Whole = int __attribute__((vector_size(16)));

// Hides a product from the compiler, which would otherwise contract it with the addition that follows.
template <class T>
WAJAH_VEC T unfused(T product) {
#if defined(__AVX512F__)
  asm("" : "+v"(product));
#elif defined(__FMA__)
  asm("" : "+x"(product));
#endif
  return product;
}

WAJAH_VEC Pixel load(const float* p) {
  Pixel v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
WAJAH_VEC void store(float* p, Pixel v) { __builtin_memcpy(p, &v, sizeof v); }

struct Rows {
  const uint8_t* row[rows_at_once];
};

// Four bytes a pixel to as many floats; words[r] is row r's pixel.
WAJAH_VEC Floats widen(const int* words) {
#if defined(__AVX512F__)
  // The form with a mask, because the plain one reads an undefined register on purpose and g++ 12 warns of it.
  const __m512i wide = _mm512_maskz_cvtepu8_epi32(0xffff, _mm_set_epi32(words[3], words[2], words[1], words[0]));
  return __builtin_convertvector(reinterpret_cast<Ints>(wide), Floats);
#elif defined(__AVX2__)
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_set_epi32(0, 0, words[1], words[0])));
#else
  using Bytes = unsigned char __attribute__((vector_size(16)));
  using Shorts = unsigned short __attribute__((vector_size(16)));
  const Bytes bytes = reinterpret_cast<Bytes>(Whole{words[0], 0, 0, 0});
  const Bytes pairs = __builtin_shufflevector(bytes, Bytes{}, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const Shorts wide = __builtin_shufflevector(reinterpret_cast<Shorts>(pairs), Shorts{}, 0, 8, 1, 9, 2, 10, 3, 11);
  return __builtin_convertvector(reinterpret_cast<Whole>(wide), Floats);
#endif
}

// The pixels of one column. A pixel is read as four bytes, the fourth being ignored; `size` is 3 for the last pixel of
// a picture, which has no fourth.
template <size_t size = 4>
WAJAH_VEC Floats column(const Rows& rows, ptrdiff_t x) {
  int words[rows_at_once]{};
  for (int r = 0; r < rows_at_once; ++r) __builtin_memcpy(&words[r], rows.row[r] + 3 * x, size);
  return widen(words);
}

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
  constexpr float to_integer = 12582912.0F;  // 1.5 * 2^23: adding it rounds, ties to even
  v = unfused(v * job.scale);
  if (job.rounding == Rounding::half_even) v = unfused(v + to_integer) - to_integer;
  if (job.rounding == Rounding::half_up) v = __builtin_convertvector(__builtin_convertvector(v + 0.5F, Whole), Pixel);
  return (v - 127.5F) * 0.0078125F;
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
