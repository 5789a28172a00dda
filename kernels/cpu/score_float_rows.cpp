// Inner products of one query with many rows of floats: 2 KiB a row of 512, so memory is the limit; four rows share
// every load of the query.
#include <wajah/search/score_rows.hpp>

#include <score_rows.hpp>

namespace wajah::WAJAH_KERNEL_ISA {

void score_float_rows(const ScoreFloatRowsArgs& args, Part part) {
  score_all(
      args, part, [](const float* p, Lanes some) __attribute__((always_inline)) { return Vec::load(p, some); });
}

}  // namespace wajah::WAJAH_KERNEL_ISA
