// Trainer: one thread that makes classifiers from the gallery in memory, and the pointer that recognitions read.
//
// People and classifier are published together as one immutable Gallery. People in it are always those of the store at
// that moment, the classifier may be older: a label it knows and `people` does not is nobody. So a removal is in force
// at once, however long training takes or whether it fails, and a name can never belong to another label.
//
// A classifier is made from the one before and what has changed since (Classifier::with), which takes time for the
// people of the change only. The thread yields to recognitions wherever the system knows priorities of threads.
#pragma once

#include "attendance/likeness.hpp"
#include "attendance/store.hpp"

#include <wajah/classifier.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace wajah::attendance {

using People = std::unordered_map<PersonId, Person>;

// Never null: before the first training a classifier of nobody.
struct Gallery {
  std::shared_ptr<const People> people;
  std::shared_ptr<const Classifier> classifier;

  // The person of a classifier's label, or null if it is nobody who is enrolled now.
  [[nodiscard]] const Person* find(std::int64_t label) const {
    const auto found = people->find(label);
    return found == people->end() ? nullptr : &found->second;
  }
};

class Trainer {
 public:
  // Makes a classifier of everybody: the first one, and later ones where Classifier::with() cannot.
  using Train = std::function<std::shared_ptr<const Classifier>(std::span<const Sample>)>;
  using Change = std::uint64_t;  // numbers the changes; a later change includes the earlier ones

  // How the training that includes a change ended.
  struct Outcome {
    enum class State { live, failed, late, stopping } state = State::live;
    std::string error;  // failed: what the training said
  };

  // Publishes an empty gallery and starts the thread. Throws what `train` throws for no samples.
  explicit Trainer(Train train);
  ~Trainer();  // as stop()
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;
  Trainer(Trainer&&) = delete;
  Trainer& operator=(Trainer&&) = delete;

  [[nodiscard]] std::shared_ptr<const Gallery> gallery() const;

  // Each takes note of what the store has committed and asks for a training; changes that arrive while one is running
  // share the next. People are published before the call returns. Callers keep the store's order.
  Change load(const std::vector<Person>& people, std::vector<StoredEmbedding> embeddings);
  Change replace(const std::vector<Person>& people, std::vector<StoredEmbedding> embeddings);  // forgets all others
  Change enrol(const Person& person, std::vector<StoredEmbedding> embeddings);  // adds to those the person has
  Change add(std::vector<StoredEmbedding> embeddings);                          // of people who are there
  Change remove(PersonId person);

  // Waits until a classifier that includes the change is published, or it is known that none will be.
  [[nodiscard]] Outcome wait(Change change, std::chrono::steady_clock::time_point deadline);

  // Of everybody whose embeddings are there, also those that no classifier knows yet.
  [[nodiscard]] EnrolledFaces faces() const;

  [[nodiscard]] std::string last_error() const;  // of the last training; empty if it went well

  // Lets a running training end unpublished; those who wait get `stopping`.
  void stop();

 private:
  using Embedding = std::shared_ptr<const std::vector<float>>;  // shared with the snapshots
  using Photos = std::map<PhotoId, Embedding>;
  struct Snapshot;

  void serve();
  [[nodiscard]] Snapshot changes() const;
  [[nodiscard]] Snapshot everybody() const;
  void train_once(std::unique_lock<std::mutex>& lock);
  void publish(std::shared_ptr<const People> people, std::shared_ptr<const Classifier> classifier);
  [[nodiscard]] std::shared_ptr<const Classifier> train(std::unique_lock<std::mutex>& lock, Change& change) const;
  [[nodiscard]] Change keep_and_note(std::vector<StoredEmbedding> embeddings);
  [[nodiscard]] Change note();
  void keep(std::vector<StoredEmbedding> embeddings);
  void forget(PersonId person);

  Train train_;

  mutable std::mutex published_mutex_;  // held only to copy the pointer
  std::shared_ptr<const Gallery> published_;

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_, ended_;
  std::map<PersonId, Photos> embeddings_;
  std::map<PersonId, Change> untrained_;  // whose embeddings the published classifier does not have, and since when
  Change wanted_ = 0, trained_ = 0, failed_ = 0;  // of the changes: all, those in force, those in a failed training
  std::string error_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace wajah::attendance
