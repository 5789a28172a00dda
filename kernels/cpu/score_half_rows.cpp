// Inner products of one query with many rows of half floats: half the bytes of floats, which is what counts, widened
// eight or sixteen at a time on the way into the multiplication.
#include <wajah/search/score_rows.hpp>

#include <score_rows.hpp>
#include <words.hpp>

namespace wajah::WAJAH_KERNEL_ISA {
void score_half_rows(const ScoreHalfRowsArgs& args, Part part) {
  score_all(
      args, part, [](const uint16_t* p, Lanes some) __attribute__((always_inline)) { return load_words(p, some); });
}

}  // namespace wajah::WAJAH_KERNEL_ISA
