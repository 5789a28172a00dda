// Zone: a site's local time by IANA name, from the system's time zone database.
#pragma once

#include "attendance/store.hpp"

#include <string>
#include <string_view>

namespace date {
class time_zone;
}

namespace wajah::attendance {

struct LocalTime {
  int year = 0, month = 0, day = 0;
  int hour = 0, minute = 0, second = 0;
};

class Zone {
 public:
  // Throws Error (usage) if the name is unknown or the system has no time zone database.
  explicit Zone(std::string_view name);

  [[nodiscard]] LocalTime local(Time at) const;
  [[nodiscard]] std::string name() const;

 private:
  const date::time_zone* zone_;  // lives as long as the program
};

}  // namespace wajah::attendance
