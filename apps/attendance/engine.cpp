#include "attendance/engine.hpp"

#include <algorithm>

namespace wajah::attendance {

// Guarded by the engine's mutex; what is set when it is made may be read without.
struct Engine::Group {
  Group(std::span<const Bytes> bytes, Purpose why, bool each)
      : pictures(bytes), purpose(why), analyses(bytes.size()), errors(each ? bytes.size() : 0) {}

  std::span<const Bytes> pictures;
  Purpose purpose;
  std::vector<Analysis> analyses;
  std::vector<std::exception_ptr> errors;  // of each picture, where a failure does not end the group
  std::chrono::steady_clock::time_point admitted = std::chrono::steady_clock::now();
  std::size_t begun = 0, running = 0;
  bool dropped = false;
  std::optional<Batch::Failure> failure;
  std::condition_variable changed;

  [[nodiscard]] bool all_begun() const { return dropped || begun == pictures.size(); }
  [[nodiscard]] bool ended() const { return all_begun() && running == 0; }
};

Engine::Engine(std::vector<std::unique_ptr<Analyser>> analysers, const EngineOptions& options)
    : options_(options), analysers_(std::move(analysers)) {
  if (analysers_.empty()) fail(ErrorKind::usage, "engine: 0 workers, expected 1 or more");
  if (options_.max_batch < 1) fail(ErrorKind::usage, "engine: max_batch 0, expected 1 or more");
  model_ = analysers_.front()->model();
  dimension_ = analysers_.front()->dimension();
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
  Group group(pictures, purpose, false);
  await(group, deadline);
  if (group.failure) return {{}, std::move(group.failure)};
  return {std::move(group.analyses), std::nullopt};
}

std::vector<PictureOutcome> Engine::analyse_each(std::span<const Bytes> pictures, Purpose purpose, Deadline deadline) {
  Group group(pictures, purpose, true);
  await(group, deadline);
  std::vector<PictureOutcome> outcomes(pictures.size());
  for (std::size_t i = 0; i < outcomes.size(); ++i) outcomes[i] = {std::move(group.analyses[i]), group.errors[i]};
  return outcomes;
}

// Until no worker touches the group any more.
void Engine::await(Group& group, Deadline deadline) {
  std::unique_lock lock(mutex_);
  admit(group);
  work_.notify_all();
  const bool in_time = group.changed.wait_until(lock, deadline, [&] { return group.all_begun(); });
  if (!in_time) drop(group);
  group.changed.wait(lock, [&] { return group.ended(); });
  if (group.failure) return;
  if (!in_time) refuse(Cause::late, "the picture waited too long for its turn; try again in a moment");
  if (group.dropped) refuse(Cause::stopping, "the service is shutting down");
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
  ++group.running;
  ++running_;
  --queue.waiting;
  if (group.all_begun()) {
    queue.groups.pop_front();
  } else {
    queue.groups.splice(queue.groups.end(), queue.groups, queue.groups.begin());
  }
  return job;
}

// Where another picture for the same pass may come from. Enrolments, whose callers wait for all of their photos anyway,
// only make way for recognitions; a recognition must not wait long, except for pictures of the same request.
Engine::Queue* Engine::queue_to_join(const Together& together) {
  Queue& queue = queue_of(together.purpose);
  if (queue.waiting == 0 || together.faces >= options_.max_batch || stopping_) return nullptr;
  if (together.purpose == Purpose::enrol) return recognitions_.waiting == 0 ? &queue : nullptr;
  const auto of_next = [&](const Job& job) { return job.group == queue.groups.front(); };
  if (together.jobs.empty() || std::ranges::all_of(together.jobs, of_next)) return &queue;
  return std::chrono::steady_clock::now() - together.since < options_.max_wait ? &queue : nullptr;
}

void Engine::serve(Analyser& analyser) {
  std::unique_lock lock(mutex_);
  for (;;) {
    Queue* queue = nullptr;
    work_.wait(lock, [&] { return stopping_ || (queue = next_queue()) != nullptr; });
    if (stopping_) return;
    Together together;
    together.purpose = queue == &enrolments_ ? Purpose::enrol : Purpose::recognise;
    const std::size_t enrolling = together.purpose == Purpose::enrol ? 1 : 0;
    enrolling_ += enrolling;
    for (; queue; queue = queue_to_join(together)) find(lock, analyser, take(*queue), together);
    embed(lock, analyser, together);
    enrolling_ -= enrolling;
    if (enrolling != 0) work_.notify_one();  // another worker may take the place that this one held
  }
}

// First step of one picture: it joins those that wait for the second, or has failed.
void Engine::find(std::unique_lock<std::mutex>& lock, Analyser& analyser, Job job, Together& together) {
  const Group& group = *job.group;
  Sighting sighting;
  std::exception_ptr error;
  lock.unlock();
  try {
    sighting = analyser.find(group.pictures[job.index], group.purpose);
  } catch (...) {
    error = std::current_exception();
  }
  lock.lock();
  // Pictures without faces, and those whose group has failed meanwhile, keep nobody.
  if (error || sighting.crops.empty() || group.dropped) return finish(job, sighting, error);
  if (together.faces == 0) together.since = std::chrono::steady_clock::now();
  together.faces += sighting.crops.size();
  together.jobs.push_back(job);
  together.sightings.push_back(std::move(sighting));
}

// Second step of all of them. If it fails, each is tried by itself, so that a fault hits whom it belongs to.
void Engine::embed(std::unique_lock<std::mutex>& lock, Analyser& analyser, Together& together) {
  if (together.jobs.empty()) return;
  std::vector<std::exception_ptr> errors(together.jobs.size());
  const auto embed_some = [&](std::size_t first, std::size_t count) -> std::exception_ptr {
    try {
      analyser.embed(std::span(together.sightings).subspan(first, count));
      return nullptr;
    } catch (...) {
      return std::current_exception();
    }
  };
  lock.unlock();
  if (const auto error = embed_some(0, together.jobs.size())) {
    if (together.jobs.size() == 1) errors.front() = error;
    for (std::size_t i = 0; together.jobs.size() > 1 && i < together.jobs.size(); ++i) errors[i] = embed_some(i, 1);
  }
  options_.passed({together.purpose, together.jobs.size(), together.faces});
  lock.lock();
  for (std::size_t i = 0; i < together.jobs.size(); ++i) finish(together.jobs[i], together.sightings[i], errors[i]);
}

void Engine::finish(Job job, Sighting& sighting, const std::exception_ptr& error) {
  Group& group = *job.group;
  --running_;
  --group.running;
  if (error && !group.errors.empty()) {
    group.errors[job.index] = error;
  } else if (error) {
    if (!group.failure || job.index < group.failure->index) group.failure = {job.index, error};
    drop(group);
  } else {
    auto& times = sighting.analysis.times;
    const std::chrono::duration<double, std::milli> whole = std::chrono::steady_clock::now() - group.admitted;
    times.queue = std::max(0.0, whole.count() - times.decode - times.detect - times.embed);
    group.analyses[job.index] = std::move(sighting.analysis);
  }
  group.changed.notify_all();  // under the lock: once it ended, its caller may return and the group is no more
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
