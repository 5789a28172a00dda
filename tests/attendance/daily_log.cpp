// The daily log: one line a recognition, in the file of its day, whatever the line holds and whatever the disk does.
#include "attendance/daily_log.hpp"

#include "fakes.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <set>
#include <thread>

using namespace wajah;
using namespace wajah::attendance;
using namespace wajah::attendance::testing;

namespace {

constexpr LocalTime morning{2026, 11, 22, 7, 58, 11};

// A line as a reader takes it apart: the NIK ends at the first comma, the rest is read from the end.
struct Fields {
  std::string nik, name, accuracy, matched;
};

Fields fields_of(std::string line) {
  const auto take_last = [&](std::string_view mark) {
    const auto at = line.rfind(mark);
    REQUIRE(at != std::string::npos);
    const auto field = line.substr(at + mark.size());
    line.resize(at);
    return field;
  };
  Fields fields;
  fields.matched = take_last(", Matched: ");
  fields.accuracy = take_last(", Accuracy: ");
  const auto nik = line.find(" - NIK: ") + 8;
  const auto end = line.find(',');
  fields.nik = line.substr(nik, end - nik);
  REQUIRE(line.substr(end).starts_with(", Name: "));
  fields.name = line.substr(end + 8);
  return fields;
}

Time at(std::int64_t seconds) { return Time(std::chrono::seconds(seconds)); }

}  // namespace

TEST_CASE("a log line has the original's form") {
  CHECK(log_line(morning, {"12345", "DENNIS", 0.9993, true}) ==
        "07:58:11 - NIK: 12345, Name: DENNIS, Accuracy: 0.9993, Matched: True");
  CHECK(log_line({2026, 1, 2, 0, 0, 9}, {"12345", "Unknown", 0, false}) ==
        "00:00:09 - NIK: 12345, Name: Unknown, Accuracy: 0.0, Matched: False");
}

TEST_CASE("no NIK and no name can forge a line or a field") {
  for (const char* hostile : {"1\n07:58:12 - NIK: 2, Name: BOSS, Accuracy: 1.0, Matched: True", "1\r\nX",
                              "1\xE2\x80\xA8X", "1\xC2\x85X", "1, Name: BOSS, Accuracy: 1.0, Matched: True", "\x1B[1A",
                              "\xE2\x80\xAE"
                              "654"}) {
    const auto line = log_line(morning, {hostile, "Unknown", 0, false});
    CHECK(line.find_first_of("\n\r\x1B") == std::string::npos);
    CHECK(line.find("\xC2\x85") == std::string::npos);
    CHECK(line.find("\xE2\x80") == std::string::npos);
    const auto fields = fields_of(line);
    CHECK(fields.nik.find(',') == std::string::npos);
    CHECK(fields.name == "Unknown");
    CHECK(fields.accuracy == "0.0");
    CHECK(fields.matched == "False");
  }
}

TEST_CASE("around midnight in Jakarta every line lies in the file of its own day") {
  const TempFolder folder;
  DailyLog log(folder.path(), Zone("Asia/Jakarta"));
  struct Midnight {
    std::int64_t seconds;
    const char *before, *after;
  };
  std::map<std::string, std::string> expected;
  for (const auto& midnight :
       {Midnight{1798736400, "31-12-2026", "01-01-2027"}, Midnight{1835370000, "28-02-2028", "29-02-2028"},
        Midnight{1835456400, "29-02-2028", "01-03-2028"}}) {
    for (int second = -500; second < 500; ++second) {
      log.append(at(midnight.seconds + second), {"1", "A", 1, true});
      const int clock = second < 0 ? 86400 + second : second;
      expected[second < 0 ? midnight.before : midnight.after] +=
          fmt::format("{:02}:{:02}:{:02} - NIK: 1, Name: A, Accuracy: 1.0, Matched: True\n", clock / 3600,
                      clock / 60 % 60, clock % 60);
    }
  }
  for (const auto& [day, lines] : expected) CHECK(contents(folder.path() / ("logging_" + day + ".txt")) == lines);
  CHECK(expected.size() == 5);
}

TEST_CASE("other zones have their own midnight, and fractions of a second do not round up") {
  CHECK(Zone("Asia/Jayapura").local(at(1798728300)).hour == 23);
  const auto last = Zone("Asia/Jakarta").local(at(1798736400) - std::chrono::microseconds(1));
  CHECK(last.second == 59);
  CHECK(last.day == 31);
  const auto before_1970 = Zone("UTC").local(at(0) - std::chrono::microseconds(1));
  CHECK(before_1970.year == 1969);
  CHECK(before_1970.second == 59);
}

TEST_CASE("an unknown zone is refused with a sentence") {
  try {
    const Zone zone("Asia/Jakata");
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    CHECK(std::string(error.what()).find("'Asia/Jakata'") != std::string::npos);
  }
  CHECK_THROWS_AS(Zone("../../etc/passwd"), Error);
  CHECK_THROWS_AS(Zone(""), Error);
}

TEST_CASE("a line that a crash tore is ended before the next") {
  const TempFolder folder;
  DailyLog log(folder.path(), Zone("UTC"));
  std::ofstream(log.file_of(at(0))) << "00:00:00 - NIK: 1, Na";
  log.append(at(1), {"2", "B", 1, true});
  CHECK(contents(log.file_of(at(0))) ==
        "00:00:00 - NIK: 1, Na\n00:00:01 - NIK: 2, Name: B, Accuracy: 1.0, Matched: True\n");
}

TEST_CASE("a line that does not fit on the disk is taken back whole") {
  const TempFolder folder;
  DailyLog log(folder.path(), Zone("UTC"));
  log.append(at(0), {"1", "A", 1, true});
  const auto before = contents(log.file_of(at(0)));
  {
    const FileSizeLimit limit(before.size() + 10);
    CHECK_THROWS_AS(log.append(at(1), {"2", "B", 1, true}), Error);
  }
  CHECK(contents(log.file_of(at(0))) == before);
  log.append(at(2), {"3", "C", 1, true});
  CHECK(contents(log.file_of(at(0))).size() == 2 * before.size());
}

TEST_CASE("a folder that cannot be made is an error") {
  const TempFolder folder;
  std::ofstream(folder.path() / "logging") << "a file, not a folder";
  DailyLog log(folder.path() / "logging", Zone("UTC"));
  CHECK_THROWS_AS(log.append(at(0), {"1", "A", 1, true}), Error);
}

TEST_CASE("lines of many threads stay whole") {
  const TempFolder folder;
  DailyLog log(folder.path(), Zone("UTC"));
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 250; ++i) log.append(at(i), {fmt::format("{}.{}", t, i), std::string(60, 'N'), 1, true});
      });
    }
  }
  std::set<std::string> lines;
  std::ifstream file(log.file_of(at(0)));
  for (std::string line; std::getline(file, line);) {
    CHECK(line.ends_with("NNN, Accuracy: 1.0, Matched: True"));
    lines.insert(line);
  }
  CHECK(lines.size() == 1000);
}
