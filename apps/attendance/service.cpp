#include "attendance/service.hpp"

#include "attendance/text.hpp"

#include <algorithm>
#include <utility>

namespace wajah::attendance {
namespace {

using TrainingState = Trainer::Outcome::State;

constexpr std::chrono::minutes settle_patience{10};  // thousands of people at once

// A picture that cannot be read is the sender's affair; every other fault is passed on as it is.
[[noreturn]] void rethrow(const Batch::Failure& failure, const std::string& name, std::size_t file) {
  try {
    std::rethrow_exception(failure.error);
  } catch (const Refusal&) {
    throw;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    throw Refusal(Cause::undecodable, fmt::format("{}: {}", name, error.what()),
                  {{name, error.what(), PhotoFault::undecodable, file, {}}});
  }
}

[[noreturn]] void refuse_enrolment(EnrolFault fault, const Enrolment& enrolment) {
  const auto& nik = enrolment.nik;
  switch (fault) {
    case EnrolFault::none: break;
    case EnrolFault::gone:
      refuse(Cause::unknown_person, "NIK {}: the person was removed meanwhile; nothing was stored", nik);
    case EnrolFault::inactive:
      refuse(Cause::inactive, "NIK {} is deactivated: nothing was stored; activate the person first", nik);
    case EnrolFault::no_consent:
      refuse(Cause::consent_missing, "NIK {}: no consent is in force; nothing was stored", nik);
  }
  fail(ErrorKind::storage, "an enrolment without a fault was refused");
}

ServiceOptions checked(ServiceOptions options) {
  if (!(options.accept > 0 && options.accept <= 1)) {
    fail(ErrorKind::usage, "accept: {}, expected more than 0 and at most 1", options.accept);
  }
  if (options.max_files < 1) fail(ErrorKind::usage, "max_files: 0, expected 1 or more");
  return options;
}

// Milliseconds since it was asked last.
class Lap {
 public:
  double milliseconds() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double, std::milli>(now - std::exchange(begun_, now)).count();
  }

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

Engine::Deadline after(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

[[noreturn]] void refuse_all(std::vector<SkippedFile> skipped) {
  const bool no_face =
      std::ranges::all_of(skipped, [](const SkippedFile& file) { return file.fault == PhotoFault::no_face; });
  const std::string message = fmt::format("No photo can be used: {}", told(skipped));
  throw Refusal(no_face ? Cause::no_face : Cause::unusable_photos, message, std::move(skipped));
}

std::string_view why_not_live(TrainingState state) {
  switch (state) {
    case TrainingState::live: break;
    case TrainingState::failed: return "training failed";
    case TrainingState::late: return "training has not ended yet";
    case TrainingState::stopping: return "the service is shutting down";
  }
  return "";
}

// Of several faces nobody can tell whose claim it is, so only a single one can match.
void judge_claim(RecogniseResult& result) {
  const FaceResult* only = result.results.size() == 1 ? &result.results.front() : nullptr;
  result.nik_matched = only && only->nik == result.nik_input;
  result.message = result.nik_matched ? only->name + " TERDETEKSI" : "Wajah Tidak Dikenali";
}

void forget_who(RecogniseResult& result) {
  for (FaceResult& face : result.results) {
    face.person.reset();
    face.nik.reset();
    face.name = unknown_name;
  }
  judge_claim(result);
}

}  // namespace

Service::Service(Store& store, Engine& engine, ServiceOptions options)
    : store_(store),
      engine_(engine),
      options_(checked(std::move(options))),
      log_(options_.log_folder, Zone(options_.zone)),
      trainer_([this](std::span<const Sample> samples) { return options_.train(samples, options_.classifier); }) {
  load_gallery();
  reembedding_ = {true, 0, static_cast<std::size_t>(store_.counts(engine_.model()).waiting_pictures), 0};
  reembedder_ = std::jthread([this](const std::stop_token& stop) { reembed_kept(stop); });
}

Service::~Service() = default;

std::vector<Person> Service::active_people() {
  std::vector<Person> people;
  for (PersonSummary& summary : store_.people()) {
    if (summary.active) people.push_back(std::move(summary.person));
  }
  return people;
}

// One vector of another length would make every training fail.
Embeddings Service::usable_embeddings() {
  auto embeddings = store_.embeddings(engine_.model());
  embeddings.damaged += std::erase_if(embeddings.intact, [&](const StoredEmbedding& embedding) {
    return embedding.values.size() != engine_.dimension();
  });
  return embeddings;
}

void Service::load_gallery() {
  const std::vector<Person> people = active_people();
  auto embeddings = usable_embeddings();
  damaged_ = embeddings.damaged;
  const auto change = trainer_.load(people, std::move(embeddings.intact));
  const auto outcome = trainer_.wait(change, Engine::Deadline::max());
  if (outcome.state != TrainingState::live) {
    fail(ErrorKind::model, "the classifier of {} people cannot be made: {}", people.size(), outcome.error);
  }
  if (damaged_ > 0)
    warn(fmt::format("{} damaged embeddings are not used; upload those people's photos again", damaged_));
  if (const auto waiting = store_.counts(engine_.model()).waiting_people; waiting > 0) {
    warn(
        fmt::format("{} of {} people have no embedding of model {}; they cannot be recognised until their photos are "
                    "embedded again, "
                    "from kept pictures or a new upload",
                    waiting, people.size(), engine_.model()));
  }
}

void Service::check_upload(std::string_view nik, std::string_view name, std::span<const File> files) const {
  if (files.empty()) refuse(Cause::no_files, "no file came, expected 1 to {}", options_.max_files);
  if (files.size() > options_.max_files) {
    refuse(Cause::too_many_files, "Maximum {} images are allowed", options_.max_files);
  }
  if (const auto fault = fault_of_name(name)) refuse(Cause::bad_name, "The name cannot be used: {}", *fault);
  if (!is_upper(name)) refuse(Cause::name_not_upper, "Nama must be in capital letters");
  if (!valid_nik(nik)) {
    refuse(Cause::bad_nik,
           "The NIK cannot be used: expected 1 to 64 of A-Z a-z 0-9 . _ - beginning with a letter or digit");
  }
}

UploadResult Service::upload(std::string_view nik, std::string_view name, std::span<const File> files, Force force,
                             Recognisable recognisable, const Expected& expected) {
  check_upload(nik, name, files);
  const auto deadline = after(options_.upload_deadline);
  Enrolment enrolment{std::string(nik), std::string(name), engine_.model(), {}, {},
                      options_.now(),   expected.person,   expected.consent};
  PhotoSet photos(files, checks_of(options_.strictness));
  std::optional<Stored> stored;
  UploadResult result;
  Lap lap;
  // A second round only if, between looking and storing, somebody removed the person whose photos were known.
  while (!stored) {
    photos.set_known(store_.photos_of(nik, engine_.model()));
    analyse_new(files, photos, deadline);
    result.look += lap.milliseconds();
    const std::lock_guard one_at_a_time(enrolments_);
    if (force == Force::no) compare(nik, photos);
    result.skipped = photos.skipped();
    result.stored = photos.taken();
    if (result.stored == 0) refuse_all(std::move(result.skipped));
    enrolment.photos = photos.new_photos();
    enrolment.known = photos.known_photos();
    stored = store(enrolment);
    result.store += lap.milliseconds();
  }
  result.person = stored->enrolled.person;
  result.former_name = stored->enrolled.former_name;
  result.change = stored->change;
  if (recognisable == Recognisable::on_return) wait_for(result);
  return result;
}

void Service::wait_for(UploadResult& uploaded) {
  Lap lap;
  const auto outcome = trainer_.wait(uploaded.change, after(options_.training_deadline));
  uploaded.train = lap.milliseconds();
  if (outcome.state == TrainingState::live) return;
  if (outcome.state == TrainingState::failed) warn(fmt::format("training failed: {}", outcome.error));
  refuse(Cause::training, "The photos of NIK {} are stored, but {}; they count once a training succeeds",
         uploaded.person.nik, why_not_live(outcome.state));
}

void Service::settle() { wait_for_training(trainer_.add({}), settle_patience); }

void Service::analyse_new(std::span<const File> files, PhotoSet& photos, Engine::Deadline deadline) {
  const auto wanted = photos.to_analyse();
  std::vector<Bytes> pictures;
  for (const auto file : wanted) pictures.push_back(files[file].bytes);
  auto batch = engine_.analyse(pictures, Purpose::enrol, deadline);
  if (batch.failure) rethrow(*batch.failure, photos.shown(wanted[batch.failure->index]), wanted[batch.failure->index]);
  for (std::size_t i = 0; i < wanted.size(); ++i) photos.set_analysis(wanted[i], std::move(batch.analyses[i]));
}

void Service::compare(std::string_view nik, PhotoSet& photos) {
  photos.forget_refusals();
  if (options_.strictness == Strictness::off || photos.usable().empty()) return;
  EnrolledFaces everybody = trainer_.faces();
  std::vector<FaceVector> own;
  if (const auto person = store_.find(nik)) {
    const auto found = std::ranges::find(everybody.people, person->id, &PersonFaces::person);
    if (found != everybody.people.end()) {
      own = std::move(found->faces);
      everybody.people.erase(found);
    }
  }
  refuse_duplicates(photos, own, everybody.people);
  refuse_strangers(photos, own);
}

void Service::refuse_duplicates(PhotoSet& photos, std::span<const FaceVector> own,
                                std::span<const PersonFaces> others) const {
  const DecisionCurve& curve = options_.classifier.curve;
  const double limit = checks_of(options_.strictness).duplicate;
  const auto usable = photos.usable();
  // Photos the person has already count as well, or the same upload would be judged otherwise when it is sent again.
  const std::size_t sent = photos.taken();
  std::size_t duplicates = 0;
  for (const std::size_t file : usable) {
    const FaceVector face = photos.embedding(file);
    const auto other = nearest(face, others);
    if (!other) return;
    // As for one photo of the person: the mean of single cosines grows no surer with their number.
    if (curve(other->similarity, other->margin, 1, others.size()) < limit) continue;
    // Twins who were let in may both be sent more photos.
    const double to_own = own.empty() ? 0 : similarity(face, own);
    if (!own.empty() && curve(to_own, to_own) >= limit) continue;
    ++duplicates;
    photos.refuse(file, {PhotoFault::duplicate_face, "the face is enrolled under another NIK", other->person});
  }
  if (duplicates == 0 || duplicates * 2 < sent) return;
  auto skipped = photos.skipped();
  const std::string message = fmt::format("This face is enrolled under another NIK: {}", told(skipped));
  throw Refusal(Cause::duplicate_face, message, std::move(skipped));
}

void Service::refuse_strangers(PhotoSet& photos, std::span<const FaceVector> own) const {
  const auto usable = photos.usable();
  std::vector<FaceVector> faces;
  for (const std::size_t file : usable) faces.push_back(photos.embedding(file));
  const auto same = same_person(faces, own, [&](double similarity) {
    return options_.classifier.curve(similarity, similarity) >= checks_of(options_.strictness).same;
  });
  for (std::size_t i = 0; i < usable.size(); ++i) {
    if (!same[i]) {
      photos.refuse(usable[i],
                    {PhotoFault::not_same_person, "the face does not resemble the person's other photos", {}});
    }
  }
}

std::optional<Service::Stored> Service::store(const Enrolment& enrolment) {
  const std::lock_guard lock(changes_);
  auto enrolled = store_.enrol(enrolment);
  if (!enrolled) return std::nullopt;
  if (enrolled->fault != EnrolFault::none) refuse_enrolment(enrolled->fault, enrolment);
  const auto change = trainer_.enrol(enrolled->person, std::move(enrolled->added));
  return Stored{std::move(*enrolled), change};
}

RecogniseResult Service::recognise(std::string_view nik_input, Bytes picture) {
  const Time at = options_.now();
  const auto analysis = look(picture, Purpose::recognise);
  const auto gallery = trainer_.gallery();  // only now: somebody may have been enrolled while the picture waited
  RecogniseResult result;
  result.nik_input = nik_input;
  result.times = analysis.times;
  Lap lap;
  for (const FaceEmbedding& face : analysis.faces) result.results.push_back(name_face(face, *gallery));
  result.search = lap.milliseconds();
  result.face_num = result.results.size();
  judge_claim(result);
  const std::shared_lock line(lines_);
  record(at, result);
  write_log(at, result);
  return result;
}

Analysis Service::look(Bytes picture, Purpose purpose) {
  auto batch = engine_.analyse({&picture, 1}, purpose, after(options_.recognise_deadline));
  if (batch.failure) rethrow(*batch.failure, "the picture", 0);
  return std::move(batch.analyses.front());
}

FaceResult Service::name_face(const FaceEmbedding& face, const Gallery& gallery) const {
  const Prediction prediction = gallery.classifier->predict(face.embedding);
  FaceResult result;
  result.accuracy = prediction.confidence;
  result.similarity = prediction.similarity;
  result.margin = prediction.margin;
  result.box = face.face.box;
  result.points = face.face.points;
  result.measures = face.measures;
  const Person* person = gallery.find(prediction.label);
  if (person && prediction.confidence >= options_.accept) {
    result.person = person->id;
    result.nik = person->nik;
    result.name = person->name;
  }
  return result;
}

void Service::record(Time at, RecogniseResult& result) {
  AttendanceRecord row{at, escape(result.nik_input), std::nullopt, 0, static_cast<int>(result.face_num)};
  if (result.nik_matched) {
    row.person = result.results.front().person;
    row.accuracy = result.results.front().accuracy;
    if (store_.record(row)) return;
    forget_who(result);  // removed while we looked: nobody may be matched after that
    row.person.reset();
    row.accuracy = 0;
  }
  store_.record(row);
}

void Service::write_log(Time at, const RecogniseResult& result) {
  LogEntry entry{result.nik_input, unknown_name, 0, false};
  if (result.nik_matched) {
    const FaceResult& face = result.results.front();
    entry = {*face.nik, face.name, face.accuracy, true};
  }
  try {
    log_.append(at, entry);
  } catch (const Error& error) {
    warn(error.what());  // the record is in the database; a refused reply would bring it there twice
  }
}

RemoveResult Service::remove(std::string_view nik, std::string_view name) {
  RemoveResult result;
  Trainer::Change change = 0;
  {
    const std::lock_guard lock(changes_);
    const auto removed = store_.remove(nik, name);
    if (!removed) refuse(Cause::unknown_person, "Nobody is enrolled with that NIK and that name");
    change = trainer_.remove(removed->person.id);
    result.person = removed->person;
    result.photos = static_cast<std::size_t>(removed->photos);
  }
  const auto outcome = trainer_.wait(change, after(options_.training_deadline));
  result.trained = outcome.state == TrainingState::live;
  result.training_error = why_not_live(outcome.state);
  if (outcome.state == TrainingState::failed) warn(fmt::format("training failed: {}", outcome.error));
  return result;
}

void Service::forget_in_log(std::string_view nik) {
  const std::unique_lock alone(lines_);
  log_.forget(nik);
}

void Service::renamed(const Person& person) {
  const std::lock_guard lock(changes_);
  (void)trainer_.enrol(person, {});
}

void Service::gone(PersonId person) {
  Trainer::Change change = 0;
  {
    const std::lock_guard lock(changes_);
    change = trainer_.remove(person);
  }
  wait_for_training(change, options_.training_deadline);
}

void Service::leave(PersonId person) {
  const std::lock_guard lock(changes_);
  (void)trainer_.remove(person);
}

void Service::reload() {
  Trainer::Change change = 0;
  {
    const std::lock_guard lock(changes_);
    change = trainer_.replace(active_people(), usable_embeddings().intact);
  }
  wait_for_training(change, options_.training_deadline);
}

void Service::wait_for_training(Trainer::Change change, std::chrono::milliseconds patience) {
  const auto outcome = trainer_.wait(change, after(patience));
  if (outcome.state == TrainingState::live) return;
  if (outcome.state == TrainingState::failed) warn(fmt::format("training failed: {}", outcome.error));
  refuse(Cause::training, "The change is stored, but {}; it counts once a training succeeds",
         why_not_live(outcome.state));
}

ServiceStatus Service::status() {
  return {store_.counts(engine_.model()), engine_.model(), damaged_, reembedding().running, trainer_.last_error()};
}

void Service::warn(const std::string& message) const {
  if (options_.warn) options_.warn(message);
}

}  // namespace wajah::attendance
