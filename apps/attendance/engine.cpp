#include "attendance/engine.hpp"

#include <algorithm>

namespace wajah::attendance {

// Guarded by the engine's mutex, except that each running picture has its own place in `analyses` to itself.
struct Engine::Group {
  Group(std::span<const Bytes> bytes, Purpose why) : pictures(bytes), purpose(why), analyses(bytes.size()) {}

  std::span<const Bytes> pictures;
  Purpose purpose;
  std::vector<Analysis> analyses;
  std::size_t begun = 0, running = 0;
  bool dropped = false;
  std::optional<Batch::Failure> failure;
  std::condition_variable changed;

  [[nodiscard]] bool all_begun() const { return dropped || begun == pictures.size(); }
  [[nodiscard]] bool ended() const { return all_begun() && running == 0; }
};

Engine::Engine(std::vector<std::unique_ptr<Analyser>> analysers, const EngineOptions& options)
    : analysers_(std::move(analysers)) {
  if (analysers_.empty()) fail(ErrorKind::usage, "engine: 0 workers, expected 1 or more");
  model_ = analysers_.front()->model();
  for (const auto& analyser : analysers_) {
    if (analyser->model() != model_) {
      fail(ErrorKind::usage, "engine: workers of models {} and {}, expected one model", model_, analyser->model());
    }
  }
  recognitions_.room = options.recognise_queue;
  enrolments_.room = options.enrol_queue;
  max_enrolling_ = std::max<std::size_t>(1, analysers_.size() - 1);
  try {
    for (const auto& analyser : analysers_) workers_.emplace_back([this, worker = analyser.get()] { serve(*worker); });
  } catch (...) {
    stop();
    throw;
  }
}

Engine::~Engine() { stop(); }

EngineLoad Engine::load() const {
  const std::lock_guard lock(mutex_);
  return {recognitions_.waiting, enrolments_.waiting, running_};
}

Batch Engine::analyse(std::span<const Bytes> pictures, Purpose purpose, Deadline deadline) {
  Group group(pictures, purpose);
  std::unique_lock lock(mutex_);
  admit(group);
  work_.notify_all();
  const bool in_time = group.changed.wait_until(lock, deadline, [&] { return group.all_begun(); });
  if (!in_time) drop(group);
  group.changed.wait(lock, [&] { return group.ended(); });
  if (group.failure) return {{}, std::move(group.failure)};
  if (!in_time) refuse(Cause::late, "the picture waited too long for its turn; try again in a moment");
  if (group.dropped) refuse(Cause::stopping, "the service is shutting down");
  return {std::move(group.analyses), std::nullopt};
}

void Engine::admit(Group& group) {
  if (stopping_) refuse(Cause::stopping, "the service is shutting down");
  Queue& queue = queue_of(group.purpose);
  const auto pictures = group.pictures.size();
  if (queue.waiting + pictures > queue.room) {
    refuse(Cause::busy, "{} pictures are waiting and {} more would make it over {}; try again in a moment",
           queue.waiting, pictures, queue.room);
  }
  if (pictures == 0) return;
  queue.groups.push_back(&group);
  queue.waiting += pictures;
}

void Engine::drop(Group& group) {
  if (group.all_begun()) return;
  Queue& queue = queue_of(group.purpose);
  queue.groups.remove(&group);
  queue.waiting -= group.pictures.size() - group.begun;
  group.dropped = true;
  group.changed.notify_all();
}

Engine::Queue& Engine::queue_of(Purpose purpose) { return purpose == Purpose::enrol ? enrolments_ : recognitions_; }

Engine::Queue* Engine::next_queue() {
  if (recognitions_.waiting > 0) return &recognitions_;
  if (enrolments_.waiting > 0 && enrolling_ < max_enrolling_) return &enrolments_;
  return nullptr;
}

Engine::Job Engine::take(Queue& queue) {
  Group& group = *queue.groups.front();
  const Job job{&group, group.begun++};
  --queue.waiting;
  if (group.all_begun()) {
    queue.groups.pop_front();
  } else {
    queue.groups.splice(queue.groups.end(), queue.groups, queue.groups.begin());
  }
  return job;
}

void Engine::serve(Analyser& analyser) {
  std::unique_lock lock(mutex_);
  for (;;) {
    Queue* queue = nullptr;
    work_.wait(lock, [&] { return stopping_ || (queue = next_queue()) != nullptr; });
    if (stopping_) return;
    run(lock, analyser, take(*queue));
  }
}

void Engine::run(std::unique_lock<std::mutex>& lock, Analyser& analyser, Job job) {
  Group& group = *job.group;
  const std::size_t enrolling = group.purpose == Purpose::enrol ? 1 : 0;
  ++group.running;
  ++running_;
  enrolling_ += enrolling;
  std::exception_ptr error;
  lock.unlock();
  try {
    group.analyses[job.index] = analyser.analyse(group.pictures[job.index], group.purpose);
  } catch (...) {
    error = std::current_exception();
  }
  lock.lock();
  enrolling_ -= enrolling;
  --running_;
  --group.running;
  if (error) {
    if (!group.failure || job.index < group.failure->index) group.failure = {job.index, error};
    drop(group);
  }
  group.changed.notify_all();  // under the lock: once it ended, its caller may return and the group is no more
  if (enrolling != 0) work_.notify_one();  // another worker may take the place this enrolment held
}

void Engine::refuse_all(Queue& queue) {
  while (!queue.groups.empty()) drop(*queue.groups.front());
}

void Engine::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    refuse_all(recognitions_);
    refuse_all(enrolments_);
  }
  work_.notify_all();
  for (auto& worker : workers_) {
    if (worker.joinable()) worker.join();
  }
}

}  // namespace wajah::attendance
