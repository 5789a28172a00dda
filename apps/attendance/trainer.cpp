#include "attendance/trainer.hpp"

#include <wajah/error.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace wajah::attendance {

namespace {

// A recognition waits for nobody's training: the scheduler gives this thread, and those it starts, the time that others
// leave. Where it cannot be set, training is merely not slower.
void yield_to_others() {
#if defined(__linux__)
  constexpr int nice = 10;
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), nice);
#endif
}

}  // namespace

// Embeddings as they were when a training began; nobody changes them, so training needs no lock.
struct Trainer::Snapshot {
  std::vector<Embedding> embeddings;
  std::vector<Sample> samples;
  std::vector<std::int64_t> gone;

  void add(PersonId person, const Photos& photos) {
    for (const auto& [photo, embedding] : photos) {
      embeddings.push_back(embedding);
      samples.push_back({person, *embedding});
    }
  }
};

Trainer::Trainer(Train train) : train_(std::move(train)) {
  published_ = std::make_shared<const Gallery>(Gallery{std::make_shared<const People>(), train_({})});
  thread_ = std::thread([this] {
    yield_to_others();
    serve();
  });
}

Trainer::~Trainer() { stop(); }

std::shared_ptr<const Gallery> Trainer::gallery() const {
  const std::lock_guard lock(published_mutex_);
  return published_;
}

void Trainer::publish(std::shared_ptr<const People> people, std::shared_ptr<const Classifier> classifier) {
  auto gallery = std::make_shared<const Gallery>(Gallery{std::move(people), std::move(classifier)});
  const std::lock_guard lock(published_mutex_);
  published_.swap(gallery);
}

Trainer::Change Trainer::note() {
  changed_.notify_one();
  return ++wanted_;
}

void Trainer::keep(std::vector<StoredEmbedding> embeddings) {
  for (StoredEmbedding& embedding : embeddings) {
    untrained_[embedding.person] = wanted_ + 1;  // first: one too many does no harm, one too few would
    embeddings_[embedding.person][embedding.photo] =
        std::make_shared<const std::vector<float>>(std::move(embedding.values));
  }
}

void Trainer::forget(PersonId person) {
  untrained_[person] = wanted_ + 1;
  embeddings_.erase(person);
}

namespace {

std::shared_ptr<People> people_of(const std::vector<Person>& people) {
  auto all = std::make_shared<People>();
  for (const Person& person : people) all->emplace(person.id, person);
  return all;
}

}  // namespace

Trainer::Change Trainer::replace(const std::vector<Person>& people, std::vector<StoredEmbedding> embeddings) {
  auto all = people_of(people);
  const std::lock_guard lock(mutex_);
  while (!embeddings_.empty()) forget(embeddings_.begin()->first);
  keep(std::move(embeddings));
  publish(std::move(all), gallery()->classifier);
  return note();
}

Trainer::Change Trainer::load(const std::vector<Person>& people, std::vector<StoredEmbedding> embeddings) {
  auto all = people_of(people);
  const std::lock_guard lock(mutex_);
  keep(std::move(embeddings));
  publish(std::move(all), gallery()->classifier);
  return note();
}

Trainer::Change Trainer::enrol(const Person& person, std::vector<StoredEmbedding> embeddings) {
  const std::lock_guard lock(mutex_);
  const auto now = gallery();
  auto people = std::make_shared<People>(*now->people);
  people->insert_or_assign(person.id, person);
  publish(std::move(people), now->classifier);
  return keep_and_note(std::move(embeddings));
}

Trainer::Change Trainer::add(std::vector<StoredEmbedding> embeddings) {
  const std::lock_guard lock(mutex_);
  return keep_and_note(std::move(embeddings));
}

// Nothing new needs no training, unless the last one failed and may go better now.
Trainer::Change Trainer::keep_and_note(std::vector<StoredEmbedding> embeddings) {
  if (embeddings.empty() && failed_ <= trained_) return wanted_;
  keep(std::move(embeddings));
  return note();
}

Trainer::Change Trainer::remove(PersonId person) {
  const std::lock_guard lock(mutex_);
  const auto now = gallery();
  auto people = std::make_shared<People>(*now->people);
  people->erase(person);
  forget(person);
  publish(std::move(people), now->classifier);
  return note();
}

Trainer::Outcome Trainer::wait(Change change, std::chrono::steady_clock::time_point deadline) {
  using State = Outcome::State;
  std::unique_lock lock(mutex_);
  ended_.wait_until(lock, deadline, [&] { return stopping_ || trained_ >= change || failed_ >= change; });
  if (trained_ >= change) return {State::live, {}};
  if (failed_ >= change) return {State::failed, error_};
  return {stopping_ ? State::stopping : State::late, {}};
}

std::string Trainer::last_error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

EnrolledFaces Trainer::faces() const {
  const std::lock_guard lock(mutex_);
  EnrolledFaces enrolled;
  for (const auto& [person, photos] : embeddings_) {
    PersonFaces& faces = enrolled.people.emplace_back(PersonFaces{person, {}});
    for (const auto& [photo, embedding] : photos) {
      faces.faces.emplace_back(*embedding);
      enrolled.owners.push_back(embedding);
    }
    if (photos.empty()) enrolled.people.pop_back();
  }
  return enrolled;
}

Trainer::Snapshot Trainer::changes() const {
  Snapshot snapshot;
  for (const auto& [person, since] : untrained_) {
    const auto found = embeddings_.find(person);
    if (found == embeddings_.end()) {
      snapshot.gone.push_back(person);
    } else {
      snapshot.add(person, found->second);
    }
  }
  return snapshot;
}

Trainer::Snapshot Trainer::everybody() const {
  Snapshot snapshot;
  for (const auto& [person, photos] : embeddings_) snapshot.add(person, photos);
  return snapshot;
}

void Trainer::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || wanted_ > std::max(trained_, failed_); });
    if (stopping_) return;
    train_once(lock);
    ended_.notify_all();
  }
}

void Trainer::train_once(std::unique_lock<std::mutex>& lock) {
  Change change = wanted_;
  try {
    auto classifier = train(lock, change);
    if (stopping_) return;
    if (!classifier) fail(ErrorKind::model, "training gave no classifier");
    // With the people of this moment: whoever was removed during the training stays nobody.
    publish(gallery()->people, std::move(classifier));
    trained_ = change;
    std::erase_if(untrained_, [&](const auto& person) { return person.second <= change; });
    error_.clear();
  } catch (const std::exception& error) {
    failed_ = change;
    error_ = error.what();
  }
}

// Without the lock, which it holds again at the end; `change` becomes the last that is in the result.
std::shared_ptr<const Classifier> Trainer::train(std::unique_lock<std::mutex>& lock, Change& change) const {
  struct Unlocked {
    explicit Unlocked(std::unique_lock<std::mutex>& held) : lock(held) { lock.unlock(); }
    ~Unlocked() { lock.lock(); }
    std::unique_lock<std::mutex>& lock;
  };
  {
    const Snapshot snapshot = changes();
    const auto former = gallery()->classifier;
    const Unlocked unlocked(lock);
    if (auto next = former->with({snapshot.samples, snapshot.gone})) return next;
  }
  change = wanted_;
  const Snapshot snapshot = everybody();
  const Unlocked unlocked(lock);
  return train_(snapshot.samples);
}

void Trainer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  ended_.notify_all();
  if (thread_.joinable()) thread_.join();
}

}  // namespace wajah::attendance
