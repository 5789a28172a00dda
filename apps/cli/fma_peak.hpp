// The arithmetic this machine can do now, to which benchmarks relate what they measured.
#pragma once

#include <wajah/cpu.hpp>

namespace wajah::cli {

// 10^9 floating-point operations a second, a multiply-add counting as two, of `threads` threads that do nothing but
// independent multiply-adds with the vectors of `isa` (for scalar: the 128-bit ones every x86-64 has). The best of some
// short runs, because frequency and neighbours vary.
[[nodiscard]] double measure_fma_peak(Isa isa, int threads);

}  // namespace wajah::cli
