#include <wajah/cpu_half.hpp>
#include <wajah/error.hpp>

#include <cpuid.h>

#include <cstdlib>
#include <string_view>

namespace wajah {
namespace {

bool said_by_cpuid() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned avx512_fp16 = 1U << 23U;
  return has_isa(Isa::avx512) && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & avx512_fp16) != 0;
}

bool decided() {
  const char* said = std::getenv("WAJAH_FP16");
  const std::string_view wish = said == nullptr ? "" : said;
  if (wish.empty()) return said_by_cpuid();
  if (wish != "0" && wish != "1") fail(ErrorKind::usage, "WAJAH_FP16 is '{}', expected 0 or 1", wish);
  return wish == "1" && has_isa(Isa::avx512);
}

}  // namespace

bool has_half_arithmetic() {
  static const bool has = decided();
  return has;
}

void require_half_arithmetic(const Cpu& cpu) {
  if (cpu.isa() >= Isa::avx512 && has_half_arithmetic()) return;
  if (cpu.isa() < Isa::avx512) {
    fail(ErrorKind::device, "fp16: needs a CPU with AVX512-FP16, the instruction set here is {}; use fp32 or int8",
         name_of(cpu.isa()));
  }
  fail(ErrorKind::device,
       "fp16: this CPU lacks AVX512-FP16; use fp32 or int8, or set WAJAH_FP16=1 where a virtual machine hides what its "
       "CPU can do");
}

}  // namespace wajah
