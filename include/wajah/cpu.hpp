// The Cpu device, and how a kernel is declared.
//
// A kernel is one function over an args struct, void name(const Args&, Part), compiled once per instruction set into a
// namespace of its own. WAJAH_KERNEL(name, Args) declares those functions, and for everybody else the overload
// name(const Cpu&, const Args&) that picks the right one and spreads its parts over the pool. Kernel files define
// WAJAH_KERNEL_ISA (the build does) and see nothing below the first half of this header.
//
// The CUDA kernel of the same name is void cuda::name(const Args&, const Launch&) in kernels/cuda/name.cu, and
// name(const Cuda&, const Args&) calls it. It is needed where a network is used with a Cuda, not before.
#pragma once

#include <wajah/shape.hpp>

#ifdef WAJAH_KERNEL_CUDA

#include <wajah/launch.hpp>

#define WAJAH_KERNEL(name, Args)                          \
  namespace WAJAH_KERNEL_ISA {                            \
  void name(const Args& args, const ::wajah::Launch& on); \
  }
#define WAJAH_KERNEL_VNNI(name, Args) WAJAH_KERNEL(name, Args)
#define WAJAH_KERNEL_AMX(name, Args) WAJAH_KERNEL(name, Args)

#elif defined(WAJAH_KERNEL_ISA)

#define WAJAH_KERNEL(name, Args)                   \
  namespace WAJAH_KERNEL_ISA {                     \
  void name(const Args& args, ::wajah::Part part); \
  }
#define WAJAH_KERNEL_VNNI(name, Args) WAJAH_KERNEL(name, Args)
#define WAJAH_KERNEL_AMX(name, Args) WAJAH_KERNEL(name, Args)

#else

#include <wajah/buffer.hpp>
#include <wajah/launch.hpp>
#include <wajah/thread_pool.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace wajah {

// Instruction sets, each better than those before it where a CPU has both: vectors of 8 numbers, of 16, with an integer
// dot product (VNNI), with matrix tiles (AMX).
enum class Isa { scalar, avx2, avx2_vnni, avx512, avx512_vnni, avx512_amx };
inline constexpr Isa every_isa[] = {Isa::scalar, Isa::avx2,        Isa::avx2_vnni,
                                    Isa::avx512, Isa::avx512_vnni, Isa::avx512_amx};

[[nodiscard]] std::string_view name_of(Isa isa);

// Whether this CPU, and its operating system, supports it: by CPUID, XGETBV and, for tiles, the system's permission,
// which the first call asks for.
[[nodiscard]] bool has_isa(Isa isa);
[[nodiscard]] Isa best_isa();

// What to use: WAJAH_ISA from the environment if set, else the best. Throws Error (device) if the name is unknown or
// the CPU lacks it, saying what it lacks.
[[nodiscard]] Isa chosen_isa();
[[nodiscard]] Isa parse_isa(std::string_view name);

// A value handed to kernels: an instruction set and a pool of threads that copies share.
class Cpu {
 public:
  // threads 0 = all that this process may run on. Throws Error (device) if the CPU lacks `isa`.
  explicit Cpu(int threads = 1, std::optional<Isa> isa = std::nullopt);

  [[nodiscard]] Isa isa() const { return isa_; }
  [[nodiscard]] int threads() const { return pool_->threads(); }

  // Runs all parts of a kernel and returns when they are done. Never allocates. When another session holds the pool the
  // caller does the whole work itself rather than wait.
  template <class Args>
  void run(void (*kernel)(const Args&, Part), const Args& args) const {
    pool_->run([&](Part part) { kernel(args, part); });
  }

  // Says that the calling thread computes on this pool, beside others who say so too, until the result dies.
  [[nodiscard]] ThreadPool::Sharing share() const { return ThreadPool::Sharing(*pool_); }

  // Memory that kernels on this device can read; uninitialised, aligned to a cache line.
  [[nodiscard]] Buffer allocate(std::size_t bytes) const { return Buffer(bytes); }

 private:
  Isa isa_;
  std::shared_ptr<ThreadPool> pool_;
};

}  // namespace wajah

#define WAJAH_KERNEL_DECLARE(isa, name, Args)      \
  namespace isa {                                  \
  void name(const Args& args, ::wajah::Part part); \
  }

// A kernel in three builds, and for Cuda: CPUs with a dot product or tiles run the one for their vectors.
#define WAJAH_KERNEL(name, Args)                                               \
  WAJAH_KERNEL_CUDA_DECLARE(name, Args)                                        \
  WAJAH_KERNEL_DECLARE(scalar, name, Args)                                     \
  WAJAH_KERNEL_DECLARE(avx2, name, Args)                                       \
  WAJAH_KERNEL_DECLARE(avx512, name, Args)                                     \
  inline void name(const ::wajah::Cpu& cpu, const Args& args) {                \
    if (cpu.isa() >= ::wajah::Isa::avx512) return cpu.run(avx512::name, args); \
    if (cpu.isa() >= ::wajah::Isa::avx2) return cpu.run(avx2::name, args);     \
    cpu.run(scalar::name, args);                                               \
  }

#define WAJAH_KERNEL_DECLARE_VNNI(name, Args) \
  WAJAH_KERNEL_CUDA_DECLARE(name, Args)       \
  WAJAH_KERNEL_DECLARE(scalar, name, Args)    \
  WAJAH_KERNEL_DECLARE(avx2, name, Args)      \
  WAJAH_KERNEL_DECLARE(avx2_vnni, name, Args) \
  WAJAH_KERNEL_DECLARE(avx512, name, Args)    \
  WAJAH_KERNEL_DECLARE(avx512_vnni, name, Args)

// A kernel with an integer dot product; its file says WAJAH_HAS_VNNI, so that the build compiles it for those as well.
#define WAJAH_KERNEL_VNNI(name, Args)                                         \
  WAJAH_KERNEL_DECLARE_VNNI(name, Args)                                       \
  inline void name(const ::wajah::Cpu& cpu, const Args& args) {               \
    switch (cpu.isa()) {                                                      \
      case ::wajah::Isa::scalar: return cpu.run(scalar::name, args);          \
      case ::wajah::Isa::avx2: return cpu.run(avx2::name, args);              \
      case ::wajah::Isa::avx2_vnni: return cpu.run(avx2_vnni::name, args);    \
      case ::wajah::Isa::avx512: return cpu.run(avx512::name, args);          \
      case ::wajah::Isa::avx512_vnni:                                         \
      case ::wajah::Isa::avx512_amx: return cpu.run(avx512_vnni::name, args); \
    }                                                                         \
  }

// The same with matrix tiles as well; its file says WAJAH_HAS_VNNI and WAJAH_HAS_AMX.
#define WAJAH_KERNEL_AMX(name, Args)                                           \
  WAJAH_KERNEL_DECLARE_VNNI(name, Args)                                        \
  WAJAH_KERNEL_DECLARE(avx512_amx, name, Args)                                 \
  inline void name(const ::wajah::Cpu& cpu, const Args& args) {                \
    switch (cpu.isa()) {                                                       \
      case ::wajah::Isa::scalar: return cpu.run(scalar::name, args);           \
      case ::wajah::Isa::avx2: return cpu.run(avx2::name, args);               \
      case ::wajah::Isa::avx2_vnni: return cpu.run(avx2_vnni::name, args);     \
      case ::wajah::Isa::avx512: return cpu.run(avx512::name, args);           \
      case ::wajah::Isa::avx512_vnni: return cpu.run(avx512_vnni::name, args); \
      case ::wajah::Isa::avx512_amx: return cpu.run(avx512_amx::name, args);   \
    }                                                                          \
  }

#endif
