#include "cli/stream_rate.hpp"

#include <wajah/thread_pool.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

namespace wajah::cli {

Timing measure_reading(std::size_t bytes, int threads, double seconds) {
  constexpr std::size_t ahead = 4096 / sizeof(std::uint64_t);
  const std::vector<std::uint64_t> memory(bytes / sizeof(std::uint64_t), 1);
  ThreadPool pool(threads);
  std::atomic<std::uint64_t> sum{0};
  return measure(seconds, [&] {
    pool.run([&](Part part) {
      std::array<std::uint64_t, 8> sums{};
      const auto end = part.end(static_cast<std::ptrdiff_t>(memory.size() / sums.size()));
      for (auto at = part.begin(static_cast<std::ptrdiff_t>(memory.size() / sums.size())); at < end; ++at) {
        const std::uint64_t* line = memory.data() + static_cast<std::size_t>(at) * sums.size();
        __builtin_prefetch(line + ahead);  // as searches do: the processor's own prefetching ends at every page
        for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += line[i];
      }
      for (const std::uint64_t s : sums) sum += s;
    });
  });
}

}  // namespace wajah::cli
