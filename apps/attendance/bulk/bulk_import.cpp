#include "attendance/bulk/bulk_import.hpp"

#include "attendance/original_log.hpp"
#include "attendance/photo_file.hpp"
#include "attendance/records/attendance_book.hpp"
#include "attendance/records/record_store.hpp"
#include "attendance/records/table_writer.hpp"
#include "attendance/text.hpp"

#include <wajah/error.hpp>
#include <wajah/file.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <set>
#include <sstream>
#include <thread>

namespace wajah::attendance {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t photos_at_once = 100;  // of one upload
constexpr std::chrono::milliseconds pause_when_busy{500};

struct Photo {
  std::string name;
  std::vector<std::byte> bytes;
};

class Enroller {
 public:
  Enroller(Service& service, PeopleStore& people, const BulkRules& rules, BulkReport& report)
      : service_(service), people_(people), rules_(rules), report_(report) {}

  void enrol(const ImportPerson& person) {
    const std::size_t before = report_.photos;
    if (const auto objection = rules_.objection(person.nik); !objection.empty()) {
      for (const fs::path& photo : person.photos) tell(person, photo.string(), "left_out", objection);
      ++report_.people_left_out;
      return;
    }
    for (std::size_t first = 0; first < person.photos.size(); first += photos_at_once) {
      const auto count = std::min(photos_at_once, person.photos.size() - first);
      auto photos = read(person, std::span(person.photos).subspan(first, count));
      upload(person, photos);
    }
    if (report_.photos == before) {
      ++report_.people_left_out;
      return;
    }
    ++report_.people;
    keep_details(person);
  }

 private:
  void tell(const ImportPerson& person, const std::string& file, const char* verdict, const std::string& reason) {
    report_.verdicts.push_back({file, person.nik, person.name, verdict, reason});
    ++(std::string_view(verdict) == "enrolled" ? report_.photos : report_.photos_left_out);
  }

  std::vector<Photo> read(const ImportPerson& person, std::span<const fs::path> files) {
    std::vector<Photo> photos;
    for (const fs::path& file : files) {
      try {
        photos.push_back({file.string(), read_photo(file)});
      } catch (const Error& error) {
        tell(person, file.string(), "left_out", error.what());
      }
    }
    return photos;
  }

  // A photo that cannot be decoded makes the service refuse the upload, which for an import is too much.
  void upload(const ImportPerson& person, std::vector<Photo>& photos) {
    while (!photos.empty()) {
      std::vector<File> files;
      for (const Photo& photo : photos) files.push_back({photo.name, photo.bytes});
      try {
        const auto uploaded =
            service_.upload(person.nik, person.name, files, rules_.force, Recognisable::later, {{}, rules_.consent});
        tell_all(person, photos, uploaded.skipped);
        rules_.enrolled(uploaded, files);
        return;
      } catch (const Refusal& refusal) {
        if (refusal.cause() == Cause::stopping) throw;
        if (refusal.cause() == Cause::busy || refusal.cause() == Cause::late) {
          std::this_thread::sleep_for(pause_when_busy);
          if (!rules_.stopping()) continue;
        }
        if (refusal.cause() == Cause::undecodable && drop_told(person, photos, refusal.skipped())) continue;
        tell_refused(person, photos, refusal);
        return;
      }
    }
  }

  bool drop_told(const ImportPerson& person, std::vector<Photo>& photos, const std::vector<SkippedFile>& skipped) {
    if (skipped.empty() || skipped.front().index >= photos.size()) return false;
    const auto photo = photos.begin() + static_cast<std::ptrdiff_t>(skipped.front().index);
    tell(person, photo->name, "left_out", skipped.front().reason);
    photos.erase(photo);
    return true;
  }

  void tell_all(const ImportPerson& person, const std::vector<Photo>& photos, const std::vector<SkippedFile>& skipped) {
    for (std::size_t i = 0; i < photos.size(); ++i) {
      const auto fault = std::ranges::find(skipped, i, &SkippedFile::index);
      if (fault == skipped.end()) {
        tell(person, photos[i].name, "enrolled", "");
      } else {
        tell(person, photos[i].name, "left_out", fault->reason);
      }
    }
  }

  void tell_refused(const ImportPerson& person, const std::vector<Photo>& photos, const Refusal& refusal) {
    for (std::size_t i = 0; i < photos.size(); ++i) {
      const auto fault = std::ranges::find(refusal.skipped(), i, &SkippedFile::index);
      tell(person, photos[i].name, "left_out", fault == refusal.skipped().end() ? refusal.what() : fault->reason);
    }
  }

  void keep_details(const ImportPerson& person) {
    if (person.details == PersonDetails{}) return;
    const auto record = people_.person_with(person.nik);
    if (!record) return;
    PersonChange change;
    if (!person.details.group.empty()) change.group = person.details.group;
    change.site = site_of(person);
    change.external_id = person.details.external_id;
    change.at = std::chrono::system_clock::now();
    const auto changed = people_.update(record->person.id, change, std::nullopt);
    if (changed.fault == ChangeFault::external_id_taken) {
      report_.verdicts.push_back({"", person.nik, person.name, "note",
                                  fmt::format("the external id {} is another person's", *change.external_id)});
    }
  }

  // What a list says of it is not worth keeping a person out for, but must not name a place that nobody finds.
  std::optional<std::string> site_of(const ImportPerson& person) {
    const std::string& code = person.details.site;
    if (code.empty()) return std::nullopt;
    if (rules_.has_site(code)) return code;
    report_.verdicts.push_back({"", person.nik, person.name, "note",
                                fmt::format("there is no site {} (wanted: the code of one); it was left out", code)});
    return std::nullopt;
  }

  Service& service_;
  PeopleStore& people_;
  const BulkRules& rules_;
  BulkReport& report_;
};

class LogImporter {
 public:
  LogImporter(Store& store, RecordStore& records, const BookOptions& options, BulkReport& report)
      : store_(store), book_(records, options), zone_(options.zone), report_(report) {
    for (auto& summary : store_.people()) people_[summary.person.nik] = summary.person.id;
  }

  void import(const fs::path& file) {
    const auto day = day_of_log(file.filename().string());
    const MappedFile mapped(file, ErrorKind::input);
    std::istringstream text(std::string(reinterpret_cast<const char*>(mapped.bytes().data()), mapped.bytes().size()));
    std::vector<AttendanceRecord> rows;
    std::size_t number = 0;
    for (std::string line; std::getline(text, line);) {
      ++number;
      const auto found = day ? parse_log_line(line, *day) : std::nullopt;
      if (found) {
        rows.push_back(row_of(*found));
      } else if (!line.empty()) {
        report_.verdicts.push_back(
            {fmt::format("{}:{}", file.string(), number), "", "", "left_out", "no line of the original's log"});
      }
    }
    report_.rows += store_.record_past(rows);
    for (const auto& row : rows) enter(row);
  }

 private:
  AttendanceRecord row_of(const LoggedRecognition& found) const {
    using namespace std::chrono;
    const auto& t = found.at;
    const year_month_day date(year(t.year), month(static_cast<unsigned>(t.month)), day(static_cast<unsigned>(t.day)));
    const local_seconds wall = local_days(date) + hours(t.hour) + minutes(t.minute) + seconds(t.second);
    AttendanceRecord row{zone_.instant(wall), escape(found.nik), std::nullopt, 0, 1};
    const auto person = people_.find(found.nik);
    if (found.matched && person != people_.end()) {
      row.person = person->second;
      row.accuracy = found.accuracy;
    }
    return row;
  }

  void enter(const AttendanceRecord& row) {
    if (!row.person) return;
    CheckIn check;
    check.person = *row.person;
    check.source = Source::original;
    check.at = row.at;
    check.actor = "import";
    check.idempotency_key =
        fmt::format("original-{}-{}", *row.person,
                    std::chrono::duration_cast<std::chrono::seconds>(row.at.time_since_epoch()).count());
    try {
      const auto checked = book_.check(check);
      if (!checked.duplicate && !checked.replayed) ++report_.events;
    } catch (const Refusal& refusal) {
      report_.verdicts.push_back(
          {"", row.claimed_nik, "", "left_out", fmt::format("{}: {}", zone_.rfc3339(row.at), refusal.what())});
    }
  }

  Store& store_;
  AttendanceBook book_;
  Zone zone_;
  BulkReport& report_;
  std::map<std::string, PersonId, std::less<>> people_;
};

}  // namespace

void enrol_source(Service& service, PeopleStore& people, const ImportSource& source, const BulkRules& rules,
                  BulkReport& report, const BulkProgress& progress) {
  Enroller enroller(service, people, rules, report);
  std::size_t total = 0, done = 0;
  for (const ImportPerson& person : source.people) total += person.photos.size();
  progress(0, total);
  for (const ImportPerson& person : source.people) {
    if (rules.stopping()) refuse(Cause::stopping, "the service is shutting down");
    enroller.enrol(person);
    progress(done += person.photos.size(), total);
  }
  service.settle();
}

void import_logs(Store& store, RecordStore& records, const ImportSource& source, const BookOptions& options,
                 BulkReport& report, const BulkProgress& progress) {
  if (source.logs.empty()) return;
  LogImporter importer(store, records, options, report);
  for (std::size_t i = 0; i < source.logs.size(); ++i) {
    importer.import(source.logs[i]);
    progress(i + 1, source.logs.size());
  }
}

void write_verdicts(const fs::path& file, const std::vector<Verdict>& verdicts) {
  std::string text;
  CsvWriter csv([&](std::string_view piece) { text += piece; }, true);
  constexpr std::array columns{Column{"file"}, Column{"nik"}, Column{"name"}, Column{"verdict"}, Column{"reason"}};
  csv.begin("import", columns);
  for (const Verdict& v : verdicts) {
    const std::array<Cell, 5> cells{v.file, v.nik, v.name, v.verdict, v.reason};
    csv.row(cells);
  }
  csv.finish();
  const auto bytes = std::as_bytes(std::span(text));
  write_file(file, std::span(&bytes, 1));
}

}  // namespace wajah::attendance
