// Engine: worker threads that turn pictures into faces and embeddings, behind bounded queues. Recognitions go before
// enrolments, and with two workers or more one is always kept free of enrolments, so that an upload of a hundred photos
// delays nobody at the door.
//
// While pictures wait, a worker that has found the faces of one looks at the next before it embeds, so that faces of
// several requests share one pass of the embedding network. Nobody waits for a picture that has not come yet: when
// nothing waits, a picture is embedded at once.
#pragma once

#include "attendance/refusal.hpp"

#include <wajah/detect/box.hpp>
#include <wajah/image.hpp>
#include <wajah/quality.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace wajah::attendance {

using Bytes = std::span<const std::byte>;  // an encoded picture; the caller keeps it alive

enum class Purpose { enrol, recognise };

struct FaceEmbedding {
  Face face;                     // in pixels of the upright picture
  std::vector<float> embedding;  // unit length
  FaceMeasures measures{};
};

// Milliseconds, for those who want to know where the time went. `embed` is the whole pass, with whomever it was shared;
// `queue` is what was spent on others before and between.
struct StageTimes {
  double queue = 0, decode = 0, detect = 0, embed = 0;
};

struct Analysis {
  int width = 0, height = 0;         // of the upright picture
  int orientation = 1;               // EXIF's that was applied
  std::vector<FaceEmbedding> faces;  // enrol: the one face the photo is about, or none; recognise: all, best first
  std::vector<std::byte> picture;    // enrol, when pictures are kept: the upright picture as JPEG without metadata
  StageTimes times{};
  double rival =
      0;          // enrol: how prominent the next face is, as a share of the one that was taken; 0: there is no other
  int turns = 0;  // quarters clockwise after which faces were found (detect/rotations.hpp); pixels stay the picture's
};

// A picture whose faces have been found and not been embedded yet.
struct Sighting {
  Analysis analysis;
  Purpose purpose = Purpose::recognise;
  std::vector<Image> crops;  // one of each face of the analysis
};

// One worker thread's pictures -> embeddings. The seam between the service and the networks.
class Analyser {
 public:
  virtual ~Analyser() = default;

  // Identity of the embeddings: those of different models never meet.
  [[nodiscard]] virtual std::string model() const = 0;

  // How many numbers an embedding has.
  [[nodiscard]] virtual std::size_t dimension() const = 0;

  // Throws Error (input) with a sentence for people if `picture` cannot be decoded; any other kind is a fault of ours.
  [[nodiscard]] virtual Analysis analyse(Bytes picture, Purpose purpose) = 0;

  // The same in two steps, so that pictures can share the second: everything but the embeddings, then these for all of
  // them, which have one purpose. An analyser that cannot do so does all in the first. embed() throws for all or none.
  [[nodiscard]] virtual Sighting find(Bytes picture, Purpose purpose) {
    return {analyse(picture, purpose), purpose, {}};
  }
  virtual void embed(std::span<Sighting> /*sightings*/) {}
};

// What the workers have embedded in one pass.
struct Pass {
  Purpose purpose = Purpose::recognise;
  std::size_t pictures = 0, faces = 0;
};

struct EngineOptions {
  std::size_t recognise_queue = 64;  // pictures waiting, besides those being worked on
  std::size_t enrol_queue = 400;
  std::size_t max_batch = 32;             // faces that are embedded together; 1: every picture by itself
  std::chrono::milliseconds max_wait{2};  // a face found so long ago waits for no further picture to be looked at
  std::function<void(const Pass&)> passed = [](const Pass&) {};  // told of every pass, on the workers' threads
};

struct EngineLoad {
  std::size_t recognise_waiting = 0, enrol_waiting = 0, running = 0;
};

// What became of a batch: an analysis for every picture, or the first picture that failed and why.
struct Batch {
  struct Failure {
    std::size_t index = 0;
    std::exception_ptr error;
  };
  std::vector<Analysis> analyses;
  std::optional<Failure> failure;
};

// What became of one picture: its analysis, or why there is none.
struct PictureOutcome {
  Analysis analysis;
  std::exception_ptr error;
};

class Engine {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  // One worker thread for each analyser; needs at least one, all of the same model. Throws Error (usage) otherwise.
  Engine(std::vector<std::unique_ptr<Analyser>> analysers, const EngineOptions& options);
  ~Engine();  // as stop()
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  Engine(Engine&&) = delete;
  Engine& operator=(Engine&&) = delete;

  [[nodiscard]] const std::string& model() const { return model_; }
  [[nodiscard]] std::size_t dimension() const { return dimension_; }
  [[nodiscard]] EngineLoad load() const;

  // Analyses the pictures on the workers and waits. A picture that fails ends the batch: those not begun are dropped,
  // and of several failures the earliest picture's is told. Throws Refusal: busy at once if they do not all fit into
  // the queue, late if the deadline passes before the last has begun, stopping. Afterwards no worker touches the bytes.
  [[nodiscard]] Batch analyse(std::span<const Bytes> pictures, Purpose purpose, Deadline deadline);

  // The same, but a picture that fails spoils no other: what became of each.
  [[nodiscard]] std::vector<PictureOutcome> analyse_each(std::span<const Bytes> pictures, Purpose purpose,
                                                         Deadline deadline);

  // Refuses new work, drops what has not begun (its callers get `stopping`) and waits for the rest.
  void stop();

 private:
  struct Group;  // one call of analyse(): lives on its caller's stack

  // Groups take turns picture by picture, so that one photo need not wait behind another caller's hundred.
  struct Queue {
    std::list<Group*> groups;
    std::size_t waiting = 0;  // pictures that have not begun
    std::size_t room = 0;
  };
  struct Job {
    Group* group;
    std::size_t index;
  };

  // One worker's pictures between finding and embedding, all of one purpose.
  struct Together {
    Purpose purpose = Purpose::recognise;
    std::vector<Job> jobs;
    std::vector<Sighting> sightings;  // of each job
    std::size_t faces = 0;
    std::chrono::steady_clock::time_point since;  // the first face is waiting
  };

  void serve(Analyser& analyser);
  [[nodiscard]] Queue* next_queue();
  [[nodiscard]] Queue* queue_to_join(const Together& together);
  [[nodiscard]] Job take(Queue& queue);
  void find(std::unique_lock<std::mutex>& lock, Analyser& analyser, Job job, Together& together);
  void embed(std::unique_lock<std::mutex>& lock, Analyser& analyser, Together& together);
  void finish(Job job, Sighting& sighting, const std::exception_ptr& error);
  void await(Group& group, Deadline deadline);
  void admit(Group& group);
  void drop(Group& group);  // those of its pictures that have not begun
  void refuse_all(Queue& queue);
  [[nodiscard]] Queue& queue_of(Purpose purpose);

  std::string model_;
  std::size_t dimension_ = 0;
  EngineOptions options_;
  std::size_t max_enrolling_;  // workers
  std::vector<std::unique_ptr<Analyser>> analysers_;

  mutable std::mutex mutex_;  // guards all below and every Group
  std::condition_variable work_;
  Queue recognitions_, enrolments_;
  std::size_t running_ = 0;    // pictures
  std::size_t enrolling_ = 0;  // workers
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace wajah::attendance
