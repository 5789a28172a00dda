// Independent pieces of work on several threads.
#pragma once

#include <wajah/error.hpp>
#include <wajah/thread_pool.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>

namespace wajah::svm {

// How many threads `threads` asks for, 0 being all there are; throws Error(usage) when negative.
inline int resolve_threads(int threads) {
  if (threads < 0) fail(ErrorKind::usage, "threads: {}, expected 0 (all) or more", threads);
  if (threads > 0) return threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// Calls work(state, i) once for every i below count, state being what make() gave the thread; whichever thread is free
// takes the next one, since pieces differ in size. Throws what the first failing piece threw, leaving the rest undone.
template <class Make, class Work>
void for_each_index(int threads, std::size_t count, const Make& make, const Work& work) {
  std::atomic<std::size_t> next{0};
  std::exception_ptr error;
  std::mutex error_guard;
  ThreadPool pool(
      static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(threads), std::max<std::size_t>(count, 1))));
  pool.run([&](Part) {
    try {
      std::size_t i = next++;
      if (i >= count) return;
      auto state = make();
      for (; i < count; i = next++) work(state, i);
    } catch (...) {
      next = count;
      const std::scoped_lock lock(error_guard);
      if (!error) error = std::current_exception();
    }
  });
  if (error) std::rethrow_exception(error);
}

// work(i), for work that keeps nothing.
template <class Work>
void for_each_index(int threads, std::size_t count, const Work& work) {
  struct Nothing {};
  for_each_index(
      threads, count, [] { return Nothing{}; }, [&](const Nothing&, std::size_t i) { work(i); });
}

}  // namespace wajah::svm
