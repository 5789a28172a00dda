// BusinessDay: which date an instant belongs to at a site, and when a clock time on a date is. A business date begins
// at day_start of the calendar's day in the site's zone and ends where the next begins; it is never cut by a change to
// or from summer time.
#pragma once

#include "attendance/records/calendar.hpp"
#include "attendance/site_time.hpp"

namespace wajah::attendance {

class BusinessDay {
 public:
  BusinessDay(const Zone& zone, Minutes day_start) : zone_(zone), day_start_(day_start) {}

  [[nodiscard]] Date date_of(Time at) const;
  [[nodiscard]] Time begin(Date date) const;
  [[nodiscard]] Time end(Date date) const { return begin(date + std::chrono::days(1)); }

  // A clock time before day_start is on the morning after. A time that the clocks leave out is the instant they jump;
  // of one that comes twice the first.
  [[nodiscard]] Time instant(Date date, Minutes clock) const;

  // What the wall shows at a clock time on a date.
  [[nodiscard]] std::chrono::local_seconds wall(Date date, Minutes clock) const;

  [[nodiscard]] const Zone& zone() const { return zone_; }

 private:
  Zone zone_;
  Minutes day_start_;
};

}  // namespace wajah::attendance
