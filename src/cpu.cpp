#include <wajah/cpu.hpp>
#include <wajah/error.hpp>

#include <asm/prctl.h>
#include <cpuid.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <thread>

namespace wajah {
namespace {

struct Feature {
  const char* name;
  unsigned users;  // a bit for each instruction set whose kernels use it
  bool present;
};

template <class... Isas>
constexpr unsigned used_by(Isas... isas) {
  return ((1U << static_cast<unsigned>(isas)) | ...);
}

// AVX-VNNI, which has an answer of its own in CPUID that g++ 12 does not ask for. It needs no state besides AVX's.
bool has_avx_vnni() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned avx_vnni = 1U << 4U;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & avx_vnni) != 0;
}

// Linux gives tiles, 8 KB of registers a thread, to processes that ask for them.
bool may_use_tiles() {
  constexpr int request_permission = 0x1023, tile_data = 18;
  static const bool granted = syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
  return granted;
}

// __builtin_cpu_supports reads CPUID, and XGETBV for whether the operating system saves the registers.
std::array<Feature, 12> features() {
  __builtin_cpu_init();
  const auto is = [](int supported) { return supported != 0; };
  constexpr unsigned amx = used_by(Isa::avx512_amx);
  constexpr unsigned avx512 = used_by(Isa::avx512, Isa::avx512_vnni) | amx;
  constexpr unsigned avx2 = used_by(Isa::avx2, Isa::avx2_vnni) | avx512;
  const bool tiles = is(__builtin_cpu_supports("amx-tile"));
  return {{{"AVX2", avx2, is(__builtin_cpu_supports("avx2"))},
           {"FMA", avx2, is(__builtin_cpu_supports("fma"))},
           {"F16C", avx2, is(__builtin_cpu_supports("f16c"))},
           {"AVX-VNNI", used_by(Isa::avx2_vnni), has_avx_vnni()},
           {"AVX-512F", avx512, is(__builtin_cpu_supports("avx512f"))},
           {"AVX-512BW", avx512, is(__builtin_cpu_supports("avx512bw"))},
           {"AVX-512DQ", avx512, is(__builtin_cpu_supports("avx512dq"))},
           {"AVX-512VL", avx512, is(__builtin_cpu_supports("avx512vl"))},
           {"AVX-512VNNI", used_by(Isa::avx512_vnni) | amx, is(__builtin_cpu_supports("avx512vnni"))},
           {"AMX-TILE", amx, tiles},
           {"AMX-INT8", amx, is(__builtin_cpu_supports("amx-int8"))},
           {"the system's permission to use tiles", amx, tiles && may_use_tiles()}}};
}

std::string missing_for(Isa isa) {
  std::string names;
  for (const Feature& feature : features()) {
    if (feature.present || (feature.users & used_by(isa)) == 0) continue;
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
    case Isa::avx2_vnni: return "avx2-vnni";
    case Isa::avx512: return "avx512";
    case Isa::avx512_vnni: return "avx512-vnni";
    case Isa::avx512_amx: return "avx512-amx";
  }
  return "unknown";
}

bool has_isa(Isa isa) { return missing_for(isa).empty(); }

Isa best_isa() {
  Isa best = Isa::scalar;
  for (const Isa isa : every_isa) {
    if (has_isa(isa)) best = isa;
  }
  return best;
}

Isa parse_isa(std::string_view name) {
  for (const Isa isa : every_isa) {
    if (name == name_of(isa)) return isa;
  }
  std::string names;
  for (const Isa isa : every_isa) {
    const std::string_view between = names.empty() ? "" : isa == every_isa[std::size(every_isa) - 1] ? " or " : ", ";
    names += fmt::format("{}{}", between, name_of(isa));
  }
  fail(ErrorKind::device, "instruction set '{}' is unknown, expected {}", name, names);
}

Isa chosen_isa() {
  const char* wanted = std::getenv("WAJAH_ISA");
  if (wanted == nullptr || *wanted == '\0') return best_isa();
  return supported(parse_isa(wanted));
}

Cpu::Cpu(int threads, std::optional<Isa> isa)
    : isa_(isa ? supported(*isa) : chosen_isa()), pool_(std::make_shared<ThreadPool>(checked_threads(threads))) {}

}  // namespace wajah
