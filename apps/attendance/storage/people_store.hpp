// PeopleStore: people as administrators see them: searched, changed, merged, photo by photo. Recognition needs none of
// it (store.hpp). Every function is one transaction; all throw Error (storage).
//
// Who changes people through it tells the Service afterwards, which is what makes a change matter to recognition.
#pragma once

#include "attendance/store.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::attendance {

struct PersonDetails {
  std::string group, site;                 // empty: none
  std::optional<std::string> external_id;  // another system's id of the person; unique
  std::string metadata = "{}";             // a JSON object, as the caller wrote it
  bool active = true;                      // false: kept, but not matchable

  friend bool operator==(const PersonDetails&, const PersonDetails&) = default;
};

struct PersonRecord {
  Person person;
  PersonDetails details;
  std::int64_t photos = 0;
  Time enrolled_at, updated_at;
  std::int64_t version = 1;  // rises with every change of the person or of their photos
  // Of search() alone: active, with no embedding of the query's model and no kept picture to make one from.
  bool needs_photos = false;
};

struct NewPerson {
  std::string nik, name;
  PersonDetails details;
  Time at;
};

// What is there is set, what is not stays. external_id: the empty text takes it away.
struct PersonChange {
  std::optional<std::string> name, group, site, external_id, metadata;
  std::optional<bool> active;
  Time at;
};

enum class ChangeFault {
  none,
  unknown_person,
  stale_version,
  nik_taken,
  external_id_taken,
  consent_missing,  // to be active again after withdrawing consent takes a new one
};

struct PersonChanged {
  ChangeFault fault = ChangeFault::none;
  std::optional<PersonRecord> person;      // as it is now, also after stale_version
  std::optional<std::string> former_name;  // when the change renamed the person
};

enum class PeopleOrder { name, nik, enrolled };

struct PeopleQuery {
  std::string text;                        // somewhere in the name, NIK or external id; ASCII letters of either case
  std::optional<std::string> group, site;  // people without a site are of the site "main"
  std::optional<bool> active;
  std::string model;  // that needs_photos goes by
  std::optional<bool> needs_photos;
  PeopleOrder order = PeopleOrder::name;
  std::string after;  // `next` of the page before; empty: from the start
  std::size_t limit = 50;
};

struct PeoplePage {
  std::vector<PersonRecord> people;
  std::string next;  // empty: this was the last page
};

struct PhotoRecord {
  PhotoId id = 0;
  int width = 0, height = 0;
  Time added_at;
  bool picture = false;             // kept
  std::vector<std::string> models;  // that have an embedding of it
};

struct Merged {
  PersonRecord into;
  Person from;                 // who is no more
  std::vector<PhotoId> moved;  // photos that are now of `into`; those it had already are gone
};

class PeopleStore {
 public:
  virtual ~PeopleStore() = default;

  [[nodiscard]] virtual std::optional<PersonRecord> person(PersonId person) = 0;
  [[nodiscard]] virtual std::optional<PersonRecord> person_with(std::string_view nik) = 0;

  // A page in the query's order. People who come or go meanwhile make nobody else appear twice or be left out. Throws
  // Error (input) on an `after` that no page gave.
  [[nodiscard]] virtual PeoplePage search(const PeopleQuery& query) = 0;
  [[nodiscard]] virtual std::int64_t count(const PeopleQuery& query) = 0;  // on all pages

  // A person without photos. Faults: nik_taken, external_id_taken.
  virtual PersonChanged create(const NewPerson& person) = 0;

  // Changes a person, if `version` is given only if it is still that one. Faults: unknown_person, stale_version,
  // external_id_taken, consent_missing.
  virtual PersonChanged update(PersonId person, const PersonChange& change,
                               std::optional<std::int64_t> version = std::nullopt) = 0;

  // Store::remove() by id, with the same promises; `forget` also takes the NIK out of attendance rows that matched the
  // person or claimed it, and out of what jobs told. Nothing is returned if there is no such person, or not of that
  // version.
  virtual std::optional<Removed> remove(PersonId person, bool forget, Time at,
                                        std::optional<std::int64_t> version = std::nullopt) = 0;

  // Photos, attendance, consents of `from` become those of `into`, and `from` is removed. Nothing is returned if one of
  // them is unknown or they are the same.
  virtual std::optional<Merged> merge(PersonId from, PersonId into, Time at) = 0;

  [[nodiscard]] virtual std::vector<PhotoRecord> photos(PersonId person) = 0;  // in the order they came
  // Nothing if the photo is not the person's, or its picture was not kept. Throws if it is damaged.
  [[nodiscard]] virtual std::optional<std::vector<std::byte>> picture(PersonId person, PhotoId photo) = 0;
  // False if the photo is not the person's.
  virtual bool remove_photo(PersonId person, PhotoId photo, Time at) = 0;
};

}  // namespace wajah::attendance
