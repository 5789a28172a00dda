// How long each launch of a piece of work takes on a card. The work is captured as one graph with an event between any
// two launches, so the card goes from one to the next without waiting for the host; events cost it a microsecond or so,
// and nothing overlaps (no dependent launch).
#pragma once

#include <wajah/cuda.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace wajah {

// A launch as it was captured.
struct LaunchFacts {
  std::string kernel;  // as the compiler calls it, without parameters: "conv2d_tensor<...>"
  std::size_t blocks = 0;
  std::size_t operation = 0;  // how many marks were before it
};

// What a card can do at its highest clock, by its own properties; 0 where they do not tell.
struct CardRates {
  double gigahertz = 0, memory_gigabytes = 0;  // a second
};

// The calls of CUDA's runtime that a KernelClock makes, as a table, so that tests can put the host in a card's place.
// Every call gives an error code, 0 if all is well. What begin() gives has to be dropped, whatever fails after it.
struct ClockDriver {
  int (*begin)(void* stream, void** recording);  // of what is launched on the stream from now on, instead of doing it
  int (*mark)(void* recording);                  // an operation begins
  int (*end)(void* recording, std::vector<LaunchFacts>* launches);
  int (*play)(void* recording);                                     // on its stream, without waiting for it
  int (*read)(void* recording, std::vector<double>* milliseconds);  // of each launch, when it was played last
  int (*drop)(void* recording);
  int (*rates)(int card, CardRates* rates);
};

// CUDA's own; in a build without nvcc every call fails.
[[nodiscard]] const ClockDriver& cuda_clock();

// Work that was captured once and is timed as often as one likes. Throws Error (device) if the card fails.
class KernelClock {
 public:
  // `work` launches on the device's stream and calls mark() before each operation that is to be told from the others;
  // it must not upload, download or allocate.
  KernelClock(const Cuda& device, const std::function<void(const std::function<void()>& mark)>& work,
              const ClockDriver& driver = cuda_clock());
  ~KernelClock();
  KernelClock(const KernelClock&) = delete;
  KernelClock& operator=(const KernelClock&) = delete;
  KernelClock(KernelClock&&) = delete;
  KernelClock& operator=(KernelClock&&) = delete;

  [[nodiscard]] const std::vector<LaunchFacts>& launches() const { return launches_; }
  // Runs all of it once; the milliseconds of each launch.
  [[nodiscard]] std::vector<double> time() const;

 private:
  Cuda device_;
  const ClockDriver& driver_;
  void* recording_ = nullptr;
  std::vector<LaunchFacts> launches_;
};

// What is left of a kernel's demangled name without its result, parameters and namespaces.
[[nodiscard]] std::string plain_kernel_name(std::string_view demangled);

[[nodiscard]] CardRates rates_of(const Cuda& device, const ClockDriver& driver = cuda_clock());

}  // namespace wajah
