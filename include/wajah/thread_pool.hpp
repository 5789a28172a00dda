// ThreadPool: the threads that share one kernel's parts. Waiting is a short spin and then a futex, because a kernel of
// a small map lasts 20 microseconds, a wake-up from sleep 5 to 50, and a spin on a busy machine can cost a time slice.
#pragma once

#include <wajah/shape.hpp>

#include <atomic>
#include <cstdint>
#include <thread>
#include <type_traits>
#include <vector>

namespace wajah {

class ThreadPool {
 public:
  // threads counts the caller: 1 starts none.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ThreadPool(ThreadPool&&) = delete;
  ThreadPool& operator=(ThreadPool&&) = delete;

  [[nodiscard]] int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // One of several threads that compute on this pool, for as long as it lives. While there are more, each run has that
  // many parts fewer, down to one on its caller: the cores would only be taken from the others. A pool that one thread
  // uses, or that nobody shares by this, works with all of its threads.
  class Sharing {
   public:
    explicit Sharing(ThreadPool& pool) : pool_(pool) { pool_.sharing_.fetch_add(1, std::memory_order_relaxed); }
    ~Sharing() { pool_.sharing_.fetch_sub(1, std::memory_order_relaxed); }
    Sharing(const Sharing&) = delete;
    Sharing& operator=(const Sharing&) = delete;
    Sharing(Sharing&&) = delete;
    Sharing& operator=(Sharing&&) = delete;

   private:
    ThreadPool& pool_;
  };

  // Calls work(Part{i, n}) once for every i below n, part 0 on the calling thread, and returns when all have returned;
  // n is threads(), less the others who share the pool.
  // Parts that no worker has begun when the caller is done with its own are done by the caller too: on a busy machine a
  // worker may not get to run for milliseconds. If another thread is using the pool, the caller does all the work as
  // work(Part{0, 1}). `work` must not throw.
  template <class Work>
  void run(const Work& work) {
    run(&invoke<Work>, &work);
  }

 private:
  using Call = void (*)(const void* work, Part part);

  template <class Work>
  static void invoke(const void* work, Part part) {
    (*static_cast<const Work*>(work))(part);
  }

  void run(Call call, const void* work);
  void serve();
  [[nodiscard]] int free_threads() const;
  bool claim(Part& part);
  void stop();

  std::atomic<bool> in_use_{false};
  Call call_ = nullptr;
  const void* work_ = nullptr;
  std::atomic<std::uint32_t> round_{0};    // grows by one for every run; workers wait for it to change
  std::atomic<std::uint64_t> next_{0};     // the round (32 bits), its number of parts (16), the part to begin next (16)
  std::atomic<std::uint32_t> pending_{0};  // parts that have not returned
  std::atomic<int> sharing_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::jthread> workers_;
};

}  // namespace wajah
