#include <wajah/thread_pool.hpp>

#include "check.hpp"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace wajah {
namespace {

TEST_CASE("ThreadPool: every part runs once, part 0 on the caller") {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    CHECK(pool.threads() == threads);
    const auto caller = std::this_thread::get_id();
    for (int round = 0; round < 200; ++round) {
      std::vector<int> runs(static_cast<std::size_t>(threads));  // not atomic: run() must order them before its return
      std::atomic<bool> as_expected{true};
      pool.run([&](Part part) {
        ++runs[static_cast<std::size_t>(part.index)];
        if (part.count != threads || (part.index == 0 && std::this_thread::get_id() != caller)) as_expected = false;
      });
      REQUIRE(as_expected);
      REQUIRE(runs == std::vector<int>(static_cast<std::size_t>(threads), 1));
    }
  }
}

TEST_CASE("ThreadPool: workers that went to sleep are woken, and the caller waits for them") {
  ThreadPool pool(3);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::atomic<int> begun{0}, ended{0};
    pool.run([&](Part) {
      ++begun;
      while (begun < 3) std::this_thread::yield();  // ends only if three threads are at work
      ++ended;
    });
    CHECK(ended == 3);
  }
}

TEST_CASE("ThreadPool: callers that find it in use do the work themselves") {
  ThreadPool pool(2);
  std::atomic<int> whole{0}, parts{0};
  std::vector<std::jthread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int round = 0; round < 300; ++round) {
        pool.run([&](Part part) {
          if (part.count == 1) {
            ++whole;
          } else {
            ++parts;
          }
        });
      }
    });
  }
  callers.clear();
  CHECK(2 * whole + parts == 2 * 4 * 300);
}

TEST_CASE("ThreadPool: whoever shares it leaves the others their threads") {
  ThreadPool pool(3);
  const auto parts = [&] {
    std::atomic<int> count{0}, runs{0};
    pool.run([&](Part part) {
      count = part.count;
      ++runs;
    });
    CHECK(runs == count);
    return count.load();
  };
  CHECK(parts() == 3);
  const ThreadPool::Sharing mine(pool);
  CHECK(parts() == 3);
  {
    const ThreadPool::Sharing second(pool);
    CHECK(parts() == 2);
    const ThreadPool::Sharing third(pool), fourth(pool), fifth(pool);
    CHECK(parts() == 1);
  }
  CHECK(parts() == 3);
}

TEST_CASE("ThreadPool: threads that come and go beside each other lose no part") {
  ThreadPool pool(4);
  std::atomic<bool> whole{true};
  std::vector<std::jthread> callers;
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back([&] {
      for (int round = 0; round < 300; ++round) {
        const ThreadPool::Sharing mine(pool);
        std::atomic<int> runs{0}, count{0};
        pool.run([&](Part part) {
          count = part.count;
          ++runs;
        });
        if (runs != count) whole = false;
      }
    });
  }
  callers.clear();
  CHECK(whole);
}

TEST_CASE("ThreadPool: a kernel may not wait for its own pool, so a nested run is done by its caller") {
  ThreadPool pool(2);
  std::atomic<int> nested{0};
  pool.run([&](Part) {
    pool.run([&](Part part) {
      CHECK(part.count == 1);
      ++nested;
    });
  });
  CHECK(nested == 2);
}

}  // namespace
}  // namespace wajah
