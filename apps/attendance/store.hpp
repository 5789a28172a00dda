// Store: everything the service must remember, behind one small interface. Every function is one transaction: it
// happens whole or not at all, and what it returned survives a crash. Any number of threads may call; readers never
// wait for writers. All throw Error (storage) with a sentence; a caller that gets one may try again.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::attendance {

using Time = std::chrono::system_clock::time_point;
using PersonId = std::int64_t;  // never used twice, also not after a removal
using PhotoId = std::int64_t;
using Digest = std::array<std::byte, 32>;  // of a photo's bytes as they were uploaded

struct Person {
  PersonId id = 0;
  std::string nik, name;

  friend bool operator==(const Person&, const Person&) = default;
};

struct PersonSummary {
  Person person;
  std::int64_t photos = 0;
  Time enrolled_at;
  bool active = true;  // false: kept, but not to be matched (people_store.hpp)
};

struct NewPhoto {
  Digest digest{};
  int width = 0, height = 0;
  std::vector<float> embedding;
  std::vector<std::byte> picture;  // empty unless pictures are kept
};

struct Enrolment {
  std::string nik, name;
  std::string model;  // of the embeddings
  std::vector<NewPhoto> photos;
  std::vector<Digest> known;  // photos the caller left out because photos_of() named them
  Time at;
  // Whom the caller means, if not whoever has the NIK: they are not renamed, and nobody else gets the photos.
  std::optional<PersonId> person = std::nullopt;
  bool consent = false;  // only with a consent in force
};

// Why nothing of an enrolment was stored.
enum class EnrolFault {
  none,
  gone,        // the person it was for is not there any more
  inactive,    // they are kept, but not to be matched
  no_consent,  // they gave none, or have withdrawn it
};

struct StoredEmbedding {
  PhotoId photo = 0;
  PersonId person = 0;
  std::vector<float> values;
};

struct Enrolled {
  Person person;
  std::vector<StoredEmbedding> added;      // those that were not there before
  std::optional<std::string> former_name;  // when the enrolment renamed the person
  EnrolFault fault = EnrolFault::none;     // anything else: nothing was stored, nobody renamed
};

struct Removed {
  Person person;
  std::int64_t photos = 0;
};

struct Embeddings {
  std::vector<StoredEmbedding> intact;
  std::size_t damaged = 0;  // rows left out because their checksum does not fit
};

struct KeptPicture {
  PhotoId photo = 0;
  PersonId person = 0;
  std::vector<std::byte> bytes;
};

// One recognition. `person` is whoever was matched; the row holds no name, so that removing the person leaves the
// claimed NIK and nothing else of them.
struct AttendanceRecord {
  Time at;
  std::string claimed_nik;
  std::optional<PersonId> person;
  double accuracy = 0;
  int faces = 0;
};

struct AttendanceRow {
  std::int64_t id = 0;  // rises with every row, also when the clock does not
  Time at;
  std::string claimed_nik;
  bool matched = false;
  std::optional<Person> person;  // nothing if not matched, or removed since
  double accuracy = 0;
  int faces = 0;
};

struct StoreCounts {
  std::int64_t people = 0, photos = 0, attendance = 0;
  std::int64_t waiting_people = 0;    // active people with photos of which none has an embedding of the model asked for
  std::int64_t waiting_pictures = 0;  // kept pictures without one: these can be embedded again
};

struct WaitingPerson {
  Person person;
  std::int64_t pictures = 0;  // kept ones; with none, new photos are needed
};

class Store {
 public:
  virtual ~Store() = default;

  // All people in the order they were first enrolled.
  [[nodiscard]] virtual std::vector<PersonSummary> people() = 0;
  [[nodiscard]] virtual std::optional<Person> find(std::string_view nik) = 0;

  // Digests of the person's photos that have an embedding of `model`; none for an unknown NIK.
  [[nodiscard]] virtual std::vector<Digest> photos_of(std::string_view nik, std::string_view model) = 0;

  // Every embedding of `model` of active people, by person and photo. Damaged rows are counted, never returned.
  [[nodiscard]] virtual Embeddings embeddings(std::string_view model) = 0;

  // Adds the person or, under a known NIK, renames them; adds the photos whose digest they do not have yet, and to
  // photos they have the embedding of a new model. Nothing happens, and nothing is returned, if one of `known` is gone;
  // nothing happens either where the fault tells why.
  virtual std::optional<Enrolled> enrol(const Enrolment& enrolment) = 0;

  // Erases the person with photos and embeddings, overwriting them in the file; their attendance rows stay without the
  // link to a person. Nothing is returned if nobody has that NIK and exactly that name.
  virtual std::optional<Removed> remove(std::string_view nik, std::string_view name) = 0;

  // Adds an attendance row. False, and no row, if `person` is no longer enrolled or not active.
  virtual bool record(const AttendanceRecord& record) = 0;

  // Adds rows of the past, in one transaction; leaves out those that are there, by time and claim. Returns how many
  // were added. A person who is not enrolled is left out of the row.
  virtual std::int64_t record_past(std::span<const AttendanceRecord> records) = 0;

  // Rows with from <= at < to in the order written, at most `limit` of them with an id above `after`.
  [[nodiscard]] virtual std::vector<AttendanceRow> attendance(Time from, Time to, std::int64_t after,
                                                              std::size_t limit) = 0;

  // All rows of recognitions that matched the person or claimed the NIK, in the order written.
  [[nodiscard]] virtual std::vector<AttendanceRow> attendance_of(const Person& person) = 0;

  // Erases rows with at < before, also from the log of changes; returns how many.
  virtual std::int64_t prune(Time before) = 0;

  [[nodiscard]] virtual StoreCounts counts(std::string_view model) = 0;

  // The waiting people of counts(), in the order they were first enrolled.
  [[nodiscard]] virtual std::vector<WaitingPerson> waiting(std::string_view model) = 0;

  // Kept pictures of active people with a photo id above `after` that have no embedding of `model`, in order of id, at
  // most `limit`.
  [[nodiscard]] virtual std::vector<KeptPicture> pictures_without(std::string_view model, PhotoId after,
                                                                  std::size_t limit) = 0;

  // Adds embeddings of `model` to photos; leaves out those whose photo is gone or has one already, or whose person is
  // not active. Returns those added.
  virtual std::vector<StoredEmbedding> add_embeddings(std::string_view model,
                                                      std::span<const StoredEmbedding> embeddings, Time at) = 0;
};

}  // namespace wajah::attendance
