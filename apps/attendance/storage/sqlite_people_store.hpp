// SqlitePeopleStore: the PeopleStore in SQLite.
#pragma once

#include "attendance/storage/database.hpp"
#include "attendance/storage/people_store.hpp"

namespace wajah::attendance {

class SqlitePeopleStore final : public PeopleStore {
 public:
  explicit SqlitePeopleStore(Database& database) : database_(database) {}  // which outlives it

  std::optional<PersonRecord> person(PersonId person) override;
  std::optional<PersonRecord> person_with(std::string_view nik) override;
  PeoplePage search(const PeopleQuery& query) override;
  std::int64_t count(const PeopleQuery& query) override;
  PersonChanged create(const NewPerson& person) override;
  PersonChanged update(PersonId person, const PersonChange& change, std::optional<std::int64_t> version) override;
  std::optional<Removed> remove(PersonId person, bool forget, Time at, std::optional<std::int64_t> version) override;
  std::optional<Merged> merge(PersonId from, PersonId into, Time at) override;
  std::vector<PhotoRecord> photos(PersonId person) override;
  std::optional<std::vector<std::byte>> picture(PersonId person, PhotoId photo) override;
  bool remove_photo(PersonId person, PhotoId photo, Time at) override;

 private:
  Database& database_;
};

}  // namespace wajah::attendance
