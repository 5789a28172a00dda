#include "launcher.hpp"

#include <wajah/error.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

#include "memory_fault.hpp"
#include "recorded_launch.hpp"

namespace wajah::shim {
namespace {

void check(const LaunchShape& shape) {
  const auto refuse = [&](const char* what, std::size_t came, std::size_t most) {
    if (came > most) fail(ErrorKind::device, "{}: {} {}, expected at most {}", shape.kernel, what, came, most);
  };
  refuse("threads a block:", shape.block.count(), 1024);
  refuse("blocks in y:", shape.grid.y, 65'535);
  refuse("blocks in z:", shape.grid.z, 65'535);
  refuse("blocks in x:", shape.grid.x, 0x7FFF'FFFF);
  refuse("bytes of shared memory:", shape.dynamic_shared, shape.most_shared());
  refuse("blocks a cluster:", shape.cluster, 8);  // what every card of sm_90 takes
  if (shape.grid.x % shape.cluster != 0) {
    fail(ErrorKind::device, "{}: {} blocks in x are not a multiple of the cluster's {}", shape.kernel, shape.grid.x,
         shape.cluster);
  }
}

// Executors keep their stacks from launch to launch.
class Executors {
 public:
  explicit Executors(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) all_.push_back(std::make_unique<Executor>());
  }
  [[nodiscard]] std::size_t size() const { return all_.size(); }
  Executor& operator[](std::size_t i) { return *all_[i]; }

 private:
  std::vector<std::unique_ptr<Executor>> all_;
};

class Blocks {
 public:
  Blocks(const LaunchShape& shape, const std::function<void()>& body) : shape_(shape), body_(body) {}

  void run(Executor& executor) {
    try {
      for (std::size_t i = next(); i < shape_.grid.count(); i = next()) {
        const auto x = i % shape_.grid.x;
        const auto y = i / shape_.grid.x % shape_.grid.y;
        const auto z = i / shape_.grid.x / shape_.grid.y;
        executor.run(shape_, {static_cast<unsigned>(x), static_cast<unsigned>(y), static_cast<unsigned>(z)}, body_);
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      next_ = shape_.grid.count();
    }
  }

  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::size_t next() { return next_.fetch_add(shape_.cluster); }

  const LaunchShape& shape_;
  const std::function<void()>& body_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;
  std::exception_ptr error_;
};

void run_now(const LaunchShape& shape, const std::function<void()>& body) {
  static std::mutex one_at_a_time;
  static Executors executors(std::max(1U, std::thread::hardware_concurrency()));
  const std::lock_guard lock(one_at_a_time);
  const MemoryFaults faults;
  Blocks blocks(shape, body);
  {
    std::vector<std::jthread> others;
    const std::size_t enough = std::min(executors.size(), 1 + shape.grid.count() / 8);  // a thread costs some blocks
    for (std::size_t i = 1; i < enough; ++i) others.emplace_back([&blocks, i] { blocks.run(executors[i]); });
    blocks.run(executors[0]);
  }
  blocks.rethrow();
}

}  // namespace

void RecordedLaunch::operator()() const { run_now(shape, body); }

void launch(const LaunchShape& shape, void* stream, const std::function<void()>& body) {
  check(shape);
  auto* const to = static_cast<Stream*>(stream);
  if (to != nullptr && to->recording) {
    to->recorded.emplace_back(RecordedLaunch{shape, body});
  } else {
    run_now(shape, body);
  }
}

}  // namespace wajah::shim
