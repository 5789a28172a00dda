// SqliteRecordStore: the contract, and what its schema itself refuses.
#include "attendance/records/sqlite_record_store.hpp"

#include "records.hpp"
#include "records_contract.hpp"

#include <doctest/doctest.h>

#include <memory>

using namespace wajah;
using namespace wajah::attendance;
using namespace wajah::attendance::testing;

namespace {

struct Opened {
  explicit Opened(const std::filesystem::path& folder)
      : data(folder), database(data), people(database), records(database) {}
  DataFolder data;
  Database database;
  SqliteStore people;
  SqliteRecordStore records;
};

void run(Database& database, const char* sql) {
  Database::Write write(database);
  write->execute(sql);
  write.commit();
}

}  // namespace

TEST_CASE("the SQLite record store keeps the contract") {
  const TempFolder folder;
  std::unique_ptr<Opened> opened;
  check_record_store_contract([&] {
    opened.reset();
    opened = std::make_unique<Opened>(folder.path());
    return StorePair{&opened->people, &opened->records};
  });
}

TEST_CASE("the database itself refuses to change an event") {
  Office office;
  const auto ani = office.hire("1", "ANI"), budi = office.hire("2", "BUDI");
  const auto event = office.at("2026-11-23T08:00:00+07:00", ani).event;
  office.at("2026-11-23T08:00:00+07:00", budi);
  for (const char* sql : {"UPDATE event SET at = at + 1", "UPDATE event SET direction = 'out'",
                          "UPDATE event SET date = '2026-01-01'", "UPDATE event SET person = 2 WHERE person = 1",
                          "UPDATE event SET reason = 'x'", "UPDATE event SET struck = 1"}) {
    CAPTURE(sql);
    CHECK_THROWS_WITH_AS(run(office.database, sql), doctest::Contains("never changed"), Error);
  }
  CHECK(office.book.event(event.id) == event);
}

TEST_CASE("a person's team and site leave a trail of placements") {
  Office office;
  const auto ani = office.hire("1", "ANI");
  office.book.save(Door{0, "mks", "MAKASSAR", "Asia/Makassar", {}, {}, {}});
  CHECK(office.book.calendar()->placement(ani, on("2026-11-01")).group.empty());
  run(office.database, "UPDATE person SET team = 'IT', site = 'mks', updated_at = 1764547200000000");
  CHECK(office.book.calendar()->placement(ani, on("2020-01-01")).group == "IT");  // what was never said otherwise
  run(office.database, "UPDATE person SET team = 'HR', updated_at = 1764547200000000");  // 2025-12-01
  const auto calendar = office.book.calendar();
  CHECK(calendar->placement(ani, on("2025-11-30")).group == "IT");
  CHECK(calendar->placement(ani, on("2025-12-01")).group == "HR");
  CHECK(calendar->home(calendar->placement(ani, on("2025-12-01"))).code == "mks");
  CHECK(calendar->entries().placements.size() == 2);
}
