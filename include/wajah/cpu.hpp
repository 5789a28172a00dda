// The Cpu device, and how a kernel is declared.
//
// A kernel is one function over an args struct, void name(const Args&, Part), compiled once per instruction set into a
// namespace of its own. WAJAH_KERNEL(name, Args) declares those functions, and for everybody else the overload
// name(const Cpu&, const Args&) that picks the right one and spreads its parts over the pool. Kernel files define
// WAJAH_KERNEL_ISA (the build does) and see nothing below the first half of this header.
#pragma once

#include <wajah/shape.hpp>

#ifdef WAJAH_KERNEL_ISA

#define WAJAH_KERNEL(name, Args)                   \
  namespace WAJAH_KERNEL_ISA {                     \
  void name(const Args& args, ::wajah::Part part); \
  }
#define WAJAH_KERNEL_VNNI(name, Args) WAJAH_KERNEL(name, Args)

#else

#include <wajah/buffer.hpp>
#include <wajah/thread_pool.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace wajah {

// Instruction sets in rising order; each includes those before it.
enum class Isa { scalar, avx2, avx512, avx512_vnni };

[[nodiscard]] std::string_view name_of(Isa isa);

// The best instruction set this CPU (and its operating system) supports, by CPUID and XGETBV.
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

// A kernel in three builds; VNNI machines run the AVX-512 one.
#define WAJAH_KERNEL(name, Args)                                          \
  WAJAH_KERNEL_DECLARE(scalar, name, Args)                                \
  WAJAH_KERNEL_DECLARE(avx2, name, Args)                                  \
  WAJAH_KERNEL_DECLARE(avx512, name, Args)                                \
  inline void name(const ::wajah::Cpu& cpu, const Args& args) {           \
    switch (cpu.isa()) {                                                  \
      case ::wajah::Isa::scalar: return cpu.run(scalar::name, args);      \
      case ::wajah::Isa::avx2: return cpu.run(avx2::name, args);          \
      case ::wajah::Isa::avx512:                                          \
      case ::wajah::Isa::avx512_vnni: return cpu.run(avx512::name, args); \
    }                                                                     \
  }

// A kernel with an integer dot product, built for avx512_vnni as well.
#define WAJAH_KERNEL_VNNI(name, Args)                                          \
  WAJAH_KERNEL_DECLARE(scalar, name, Args)                                     \
  WAJAH_KERNEL_DECLARE(avx2, name, Args)                                       \
  WAJAH_KERNEL_DECLARE(avx512, name, Args)                                     \
  WAJAH_KERNEL_DECLARE(avx512_vnni, name, Args)                                \
  inline void name(const ::wajah::Cpu& cpu, const Args& args) {                \
    switch (cpu.isa()) {                                                       \
      case ::wajah::Isa::scalar: return cpu.run(scalar::name, args);           \
      case ::wajah::Isa::avx2: return cpu.run(avx2::name, args);               \
      case ::wajah::Isa::avx512: return cpu.run(avx512::name, args);           \
      case ::wajah::Isa::avx512_vnni: return cpu.run(avx512_vnni::name, args); \
    }                                                                          \
  }

#endif
