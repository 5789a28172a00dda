// What the searches over float and half rows share: four rows at once against one query.
#pragma once

#include <vec.hpp>

namespace wajah::WAJAH_KERNEL_ISA {

constexpr int scored_rows = 4;
constexpr ptrdiff_t ahead = 4096;  // bytes: the processor's own prefetching ends at every page

template <int rows, class Args, class Load>
WAJAH_VEC void score_some(const Args& a, ptrdiff_t first, Load load) {
  Vec sum[rows];
  for (Vec& s : sum) s = Vec(0.0F);
  const auto* row = a.rows + first * a.stride;
  for (int k = 0; k < a.d; k += lanes) {
    const Lanes some(a.d - k);
    const Vec q = Vec::load(a.query + k, some);
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      const auto* at = row + r * a.stride + k;
      __builtin_prefetch(at + ahead / static_cast<ptrdiff_t>(sizeof *at));
      sum[r] = fma(load(at, some), q, sum[r]);
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < rows; ++r) {
    float lane[lanes], total = 0;
    sum[r].store(lane);
    for (const float x : lane) total += x;
    a.score[first + r] = total;
  }
}

template <class Args, class Load>
WAJAH_VEC void score_all(const Args& args, Part part, Load load) {
  ptrdiff_t row = part.begin(args.count);
  const ptrdiff_t end = part.end(args.count);
  for (; row + scored_rows <= end; row += scored_rows) score_some<scored_rows>(args, row, load);
  for (; row < end; ++row) score_some<1>(args, row, load);
}

}  // namespace wajah::WAJAH_KERNEL_ISA
