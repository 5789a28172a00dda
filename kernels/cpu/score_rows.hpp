// What the searches share: a row after another as it lies in memory, four sums at once. Rows
// side by side would share loads of the query, which cost nothing, and are several streams to memory, which on some
// CPUs come a third slower than one.
#pragma once

#include <vec.hpp>

namespace wajah::WAJAH_KERNEL_ISA {

constexpr int sums_at_once = 4;
constexpr ptrdiff_t ahead = 2048;  // bytes: the processor's own prefetching ends at every page

template <class Word, class Load>
WAJAH_VEC float score_row(const Word* row, const float* query, int d, Load load) {
  constexpr int block = sums_at_once * lanes;
  Vec sums[sums_at_once];
  for (Vec& s : sums) s = Vec(0.0F);
  int k = 0;
  for (; k + block <= d; k += block) {
    const char* next = reinterpret_cast<const char*>(row + k) + ahead;
#pragma GCC unroll 4
    for (size_t i = 0; i < block * sizeof(Word); i += alignment) __builtin_prefetch(next + i);
#pragma GCC unroll 4
    for (int i = 0; i < sums_at_once; ++i) {
      sums[i] = fma(load(row + k + i * lanes, Lanes(lanes)), Vec::load(query + k + i * lanes, Lanes(lanes)), sums[i]);
    }
  }
  for (; k < d; k += lanes) {
    const Lanes some(d - k);
    sums[0] = fma(load(row + k, some), Vec::load(query + k, some), sums[0]);
  }
  float lane[lanes], total = 0;
  ((sums[0] + sums[1]) + (sums[2] + sums[3])).store(lane);
  for (const float x : lane) total += x;
  return total;
}

template <class Args, class Load>
WAJAH_VEC void score_all(const Args& args, Part part, Load load) {
  const ptrdiff_t end = part.end(args.count);
  for (ptrdiff_t row = part.begin(args.count); row < end; ++row) {
    args.score[row] = score_row(args.rows + row * args.stride, args.query, args.d, load);
  }
}

}  // namespace wajah::WAJAH_KERNEL_ISA
