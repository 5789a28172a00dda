#include <wajah/thread_pool.hpp>

#include <algorithm>
#include <chrono>

namespace wajah {
namespace {

constexpr std::chrono::microseconds spin_time{100};
constexpr int polls_per_clock = 16;  // reading the clock costs as much as a few polls

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Returns once `value` is no longer `old`: seen by polling if it changes soon, otherwise asleep until notified.
void wait_for_change(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  const auto deadline = std::chrono::steady_clock::now() + spin_time;
  do {
    for (int i = 0; i < polls_per_clock; ++i) {
      if (value.load(std::memory_order_acquire) != old) return;
      relax();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  workers_.reserve(static_cast<std::size_t>(threads > 1 ? threads - 1 : 0));
  try {
    for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { serve(); });
  } catch (...) {
    stop();  // or the workers already started would be joined while they wait for work
    throw;
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  stop_.store(true, std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
}

void ThreadPool::run(Call call, const void* work) {
  const int parts = free_threads();
  if (parts == 1 || in_use_.exchange(true, std::memory_order_acquire)) return call(work, Part{});
  call_ = call;
  work_ = work;
  pending_.store(static_cast<std::uint32_t>(parts), std::memory_order_relaxed);
  const std::uint32_t round = round_.load(std::memory_order_relaxed) + 1;
  next_.store(std::uint64_t{round} << 32U | static_cast<std::uint64_t>(parts) << 16U | 1U,
              std::memory_order_release);  // publishes the three above; part 0 is ours
  round_.store(round, std::memory_order_release);
  round_.notify_all();

  Part part{0, parts};
  do {
    call(work, part);
    pending_.fetch_sub(1, std::memory_order_relaxed);
  } while (claim(part));
  for (std::uint32_t left = pending_.load(std::memory_order_acquire); left != 0;
       left = pending_.load(std::memory_order_acquire)) {
    wait_for_change(pending_, left);
  }
  in_use_.store(false, std::memory_order_release);
}

int ThreadPool::free_threads() const {
  return std::max(1, threads() - std::max(0, sharing_.load(std::memory_order_relaxed) - 1));
}

// The round beside the part keeps a worker that slept through a run from taking a part of the next by a stale number.
bool ThreadPool::claim(Part& part) {
  std::uint64_t next = next_.load(std::memory_order_acquire);
  do {
    part = {static_cast<int>(next & 0xFFFFU), static_cast<int>(next >> 16U & 0xFFFFU)};
    if (part.index >= part.count) return false;
  } while (!next_.compare_exchange_weak(next, next + 1, std::memory_order_acquire));
  return true;
}

void ThreadPool::serve() {
  for (std::uint32_t round = 0;;) {
    wait_for_change(round_, round);
    round = round_.load(std::memory_order_acquire);
    if (stop_.load(std::memory_order_relaxed)) return;
    for (Part part; claim(part);) {
      call_(work_, part);
      if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) pending_.notify_one();
    }
  }
}

}  // namespace wajah
