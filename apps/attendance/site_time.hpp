// Zone: a site's local time by IANA name, from the system's time zone database.
#pragma once

#include "attendance/store.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace date {
class time_zone;
}

namespace wajah::attendance {

struct LocalTime {
  int year = 0, month = 0, day = 0;
  int hour = 0, minute = 0, second = 0;

  friend bool operator==(const LocalTime&, const LocalTime&) = default;
};

class Zone {
 public:
  // Throws Error (usage) if the name is unknown or the system has no time zone database.
  explicit Zone(std::string_view name);

  [[nodiscard]] LocalTime local(Time at) const;

  // Clock time and calendar date on a wall of the zone, as a count of seconds.
  [[nodiscard]] std::chrono::local_seconds wall(Time at) const;

  // The instant at which the wall shows `wall`: of a time that comes twice the first, of one that the clocks leave out
  // the instant they jump.
  [[nodiscard]] Time instant(std::chrono::local_seconds wall) const;

  // RFC 3339 with the zone's offset and whole seconds: 2026-11-22T07:58:11+07:00.
  [[nodiscard]] std::string rfc3339(Time at) const;

  [[nodiscard]] std::string name() const;

 private:
  const date::time_zone* zone_;  // lives as long as the program
};

}  // namespace wajah::attendance
