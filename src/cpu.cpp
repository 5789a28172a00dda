#include <wajah/cpu.hpp>
#include <wajah/error.hpp>

#include <sched.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <thread>

namespace wajah {
namespace {

constexpr std::array isas{Isa::scalar, Isa::avx2, Isa::avx512, Isa::avx512_vnni};

struct Feature {
  const char* name;
  Isa since;  // the first instruction set whose kernels use it
  bool present;
};

// __builtin_cpu_supports reads CPUID, and XGETBV for whether the operating system saves the registers.
std::array<Feature, 8> features() {
  __builtin_cpu_init();
  const auto is = [](int supported) { return supported != 0; };
  return {{{"AVX2", Isa::avx2, is(__builtin_cpu_supports("avx2"))},
           {"FMA", Isa::avx2, is(__builtin_cpu_supports("fma"))},
           {"F16C", Isa::avx2, is(__builtin_cpu_supports("f16c"))},
           {"AVX-512F", Isa::avx512, is(__builtin_cpu_supports("avx512f"))},
           {"AVX-512BW", Isa::avx512, is(__builtin_cpu_supports("avx512bw"))},
           {"AVX-512DQ", Isa::avx512, is(__builtin_cpu_supports("avx512dq"))},
           {"AVX-512VL", Isa::avx512, is(__builtin_cpu_supports("avx512vl"))},
           {"AVX-512VNNI", Isa::avx512_vnni, is(__builtin_cpu_supports("avx512vnni"))}}};
}

std::string missing_for(Isa isa) {
  std::string names;
  for (const Feature& feature : features()) {
    if (feature.present || feature.since > isa) continue;
    if (!names.empty()) names += ", ";
    names += feature.name;
  }
  return names;
}

Isa supported(Isa isa) {
  if (const std::string missing = missing_for(isa); !missing.empty()) {
    fail(ErrorKind::device, "this CPU cannot run {} kernels: it lacks {}; the best it can run is {}", name_of(isa),
         missing, name_of(best_isa()));
  }
  return isa;
}

int usable_threads() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

int checked_threads(int threads) {
  constexpr int most = 1024;
  if (threads < 0 || threads > most) {
    fail(ErrorKind::usage, "threads: {}, expected 1 to {}, or 0 for all that this process may run on", threads, most);
  }
  return threads == 0 ? usable_threads() : threads;
}

}  // namespace

std::string_view name_of(Isa isa) {
  switch (isa) {
    case Isa::scalar: return "scalar";
    case Isa::avx2: return "avx2";
    case Isa::avx512: return "avx512";
    case Isa::avx512_vnni: return "avx512-vnni";
  }
  return "unknown";
}

Isa best_isa() {
  Isa best = Isa::scalar;
  for (const Isa isa : isas) {
    if (missing_for(isa).empty()) best = isa;
  }
  return best;
}

Isa parse_isa(std::string_view name) {
  for (const Isa isa : isas) {
    if (name == name_of(isa)) return isa;
  }
  fail(ErrorKind::device, "instruction set '{}' is unknown, expected scalar, avx2, avx512 or avx512-vnni", name);
}

Isa chosen_isa() {
  const char* wanted = std::getenv("WAJAH_ISA");
  if (wanted == nullptr || *wanted == '\0') return best_isa();
  return supported(parse_isa(wanted));
}

Cpu::Cpu(int threads, std::optional<Isa> isa)
    : isa_(isa ? supported(*isa) : chosen_isa()), pool_(std::make_shared<ThreadPool>(checked_threads(threads))) {}

}  // namespace wajah
