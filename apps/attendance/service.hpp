// Service: the rules of attendance. Enrols people from photos, recognises them, removes them; what it acknowledges is
// stored and in force: whoever was enrolled is recognisable when upload() returns, whoever was removed is not matchable
// when remove() returns. It knows no HTTP and no sockets; calls block, any number of threads may make them.
//
// Expected refusals are thrown as Refusal (refusal.hpp), a store that cannot answer as Error (storage), anything else
// is a fault of ours whose text is not for clients.
#pragma once

#include "attendance/daily_log.hpp"
#include "attendance/engine.hpp"
#include "attendance/enrolment_checks.hpp"
#include "attendance/photo_set.hpp"
#include "attendance/refusal.hpp"
#include "attendance/store.hpp"
#include "attendance/trainer.hpp"

#include <wajah/classifier.hpp>
#include <wajah/detect/box.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace wajah::attendance {

struct ServiceOptions {
  std::filesystem::path log_folder = "data/logging";
  std::string zone = "Asia/Jakarta";  // IANA name; of the log's dates and times
  double accept = 0.7;                // a face is somebody from this confidence on
  std::size_t max_files = 100;        // in one upload
  std::chrono::milliseconds recognise_deadline{10'000}, upload_deadline{120'000}, training_deadline{60'000};
  ClassifierOptions classifier;
  Strictness strictness = Strictness::standard;  // of the checks a photo must pass to be enrolled
  std::function<Time()> now = std::chrono::system_clock::now;
  // Told what does not concern the caller of the moment: a log line that could not be written, damaged rows.
  std::function<void(const std::string&)> warn;
  // How a classifier is made; tests put slow and failing ones here.
  std::function<std::shared_ptr<const Classifier>(std::span<const Sample>, const ClassifierOptions&)> train =
      train_classifier;
};

// yes: twins and relatives. A face may resemble somebody who is enrolled, and photos need not resemble one another;
// what is wrong with a photo by itself is refused all the same.
enum class Force { no, yes };

// Whether an upload's caller is kept until the person is recognisable, or settle() will be called after many uploads.
enum class Recognisable { on_return, later };

// What must still hold when the photos are stored.
struct Expected {
  std::optional<PersonId> person = std::nullopt;  // that the NIK is still theirs; they are not renamed then
  bool consent = false;                           // that a consent is in force
};

struct UploadResult {
  Person person;
  std::size_t stored = 0;  // photos of the upload that are the person's now, those it had before included, each once
  std::vector<SkippedFile> skipped;
  std::optional<std::string> former_name;  // when the NIK was known under another name, which this upload replaced
  double look = 0, store = 0, train = 0;   // ms: all pictures, comparing and committing, until it counts
  Trainer::Change change = 0;              // what wait_for() waits for
};

// The name of everybody who was not accepted, as the original service has it.
inline constexpr std::string_view unknown_name = "Unknown";

struct FaceResult {
  std::optional<PersonId> person;  // nothing: not accepted
  std::optional<std::string> nik;
  std::string name{unknown_name};
  double accuracy = 0;  // the classifier's confidence, 0 to 1, also when not accepted
  double similarity = 0, margin = 0;
  Box box;  // pixels of the upright picture
  Landmarks points{};
  FaceMeasures measures{};
};

struct RecogniseResult {
  std::vector<FaceResult> results;  // one for each face, best face first
  std::string nik_input;
  bool nik_matched = false;  // exactly one face, and it is that person
  std::size_t face_num = 0;
  std::string message;  // "<NAME> TERDETEKSI" or "Wajah Tidak Dikenali"
  StageTimes times{};
  double search = 0;  // ms, of finding who the faces are
};

struct RemoveResult {
  Person person;
  std::size_t photos = 0;
  bool trained = false;        // the person is gone either way; false: the former classifier serves on without them
  std::string training_error;  // for people, if not trained
};

// Of kept pictures, after the model was changed.
struct Reembedding {
  bool running = false;
  std::size_t done = 0, total = 0;  // pictures; done counts the failed ones too
  std::size_t failed = 0;
};

struct ServiceStatus {
  StoreCounts counts;
  std::string model;
  std::size_t damaged = 0;  // embeddings left out since the start because their checksum does not fit
  bool reembedding = false;
  std::string training_error;  // of the last training; empty if it went well
};

class Service {
 public:
  // Loads the gallery and trains before it returns; then, in the background, embeds kept pictures that lack an
  // embedding of the engine's model. Store and engine outlive it. Throws Error (usage) on options out of range, Error
  // (storage).
  Service(Store& store, Engine& engine, ServiceOptions options);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  Service(Service&&) = delete;
  Service& operator=(Service&&) = delete;

  // Enrols photos under a NIK; one NIK is one person, a new name renames them. Photos that fail a check of
  // options().strictness, that do not show the person of the others, or that show somebody of another NIK are skipped;
  // a photo the person has already (the same bytes) counts as stored and is not stored twice, so that the same upload
  // is answered in the same way when it is sent again. Refusals: bad_nik, name_not_upper, bad_name, no_files,
  // too_many_files, undecodable (any file), no_face and unusable_photos (all files), duplicate_face (half or more of
  // the photos with no fault of their own), inactive, unknown_person and consent_missing (`expected` does not hold any
  // more), busy, late, stopping: nothing is stored then. training: it is stored and will be recognised once a training
  // succeeds.
  UploadResult upload(std::string_view nik, std::string_view name, std::span<const File> files, Force force = Force::no,
                      Recognisable recognisable = Recognisable::on_return, const Expected& expected = {});

  // Returns when what such an upload stored counts in recognition, and notes how long that took. For callers who have
  // something to write down first. Refusals: training.
  void wait_for(UploadResult& uploaded);

  // Returns when everything stored until now counts in recognition. Refusals: training, stopping.
  void settle();

  // Whose faces are in the picture, and is it the claimed person? Writes one attendance row, then one log line.
  // nik_input is a claim and may be any text. Refusals: undecodable, busy, late, stopping: nothing is recorded then.
  RecogniseResult recognise(std::string_view nik_input, Bytes picture);

  // Removes a person. Both NIK and name must be theirs, because a slip in a number must not erase somebody else.
  // Refusals: unknown_person, stopping.
  RemoveResult remove(std::string_view nik, std::string_view name);

  // Takes what was logged under the NIK out of the daily log, recognitions under way included; for people who were
  // erased, after that was committed. Throws Error (storage) if a file cannot be written anew.
  void forget_in_log(std::string_view nik);

  // What the service must hear of when people were changed through a PeopleStore, after the change was committed. On
  // return recognition goes by it. renamed(): only the name is new; gone(): removed, or no longer active; leave(): the
  // same for callers with something to write down before they wait with gone(), nobody matches the person from now on;
  // reload(): anything else, such as photos that were removed, people who were merged or became active. Refusals:
  // training, stopping; names and departures count all the same then.
  void renamed(const Person& person);
  void gone(PersonId person);
  void leave(PersonId person);
  void reload();

  // The faces of a picture, nothing decided and nothing recorded. Refusals: undecodable, busy, late, stopping.
  [[nodiscard]] Analysis look(Bytes picture, Purpose purpose);

  // Who is enrolled now and how to tell them apart.
  [[nodiscard]] std::shared_ptr<const Gallery> gallery() const { return trainer_.gallery(); }
  [[nodiscard]] const ServiceOptions& options() const { return options_; }

  [[nodiscard]] std::vector<PersonSummary> people() { return store_.people(); }
  [[nodiscard]] ServiceStatus status();

  // How far embedding kept pictures again has come since the start, and who cannot be recognised for want of an
  // embedding of this model.
  [[nodiscard]] Reembedding reembedding() const;
  [[nodiscard]] std::vector<WaitingPerson> waiting() { return store_.waiting(engine_.model()); }

 private:
  struct Stored {
    Enrolled enrolled;
    Trainer::Change change = 0;
  };

  [[nodiscard]] std::vector<Person> active_people();
  [[nodiscard]] Embeddings usable_embeddings();
  void load_gallery();
  void check_upload(std::string_view nik, std::string_view name, std::span<const File> files) const;
  void analyse_new(std::span<const File> files, PhotoSet& photos, Engine::Deadline deadline);
  void compare(std::string_view nik, PhotoSet& photos);
  void refuse_duplicates(PhotoSet& photos, std::span<const FaceVector> own, std::span<const PersonFaces> others) const;
  void refuse_strangers(PhotoSet& photos, std::span<const FaceVector> own) const;
  [[nodiscard]] std::optional<Stored> store(const Enrolment& enrolment);
  void wait_for_training(Trainer::Change change, std::chrono::milliseconds patience);

  [[nodiscard]] FaceResult name_face(const FaceEmbedding& face, const Gallery& gallery) const;
  void record(Time at, RecogniseResult& result);
  void write_log(Time at, const RecogniseResult& result);

  void reembed_kept(const std::stop_token& stop);
  [[nodiscard]] std::vector<StoredEmbedding> reembed(std::span<const KeptPicture> pictures,
                                                     const std::stop_token& stop);
  [[nodiscard]] std::vector<std::optional<Analysis>> reanalyse(std::span<const KeptPicture> pictures,
                                                               const std::stop_token& stop);
  [[nodiscard]] std::optional<Analysis> reanalyse(const KeptPicture& picture, const std::stop_token& stop);

  void warn(const std::string& message) const;

  Store& store_;
  Engine& engine_;
  ServiceOptions options_;
  DailyLog log_;
  std::size_t damaged_ = 0;
  mutable std::mutex reembedding_mutex_;
  Reembedding reembedding_;
  // Held from comparing an upload with everybody until it is stored, or two uploads of one face would both pass.
  std::mutex enrolments_;
  // Held by recognitions from their row to their line, and alone while lines are taken out: whoever was matched just
  // before they were erased must not be logged just after.
  std::shared_mutex lines_;
  // Held from a change's commit until the trainer has it, so that memory sees changes in the order of the store.
  std::mutex changes_;
  Trainer trainer_;
  std::jthread reembedder_;
};

}  // namespace wajah::attendance
