#include "attendance/site_time.hpp"

#include <wajah/error.hpp>

#include <date/date.h>
#include <date/tz.h>

#include <exception>

namespace wajah::attendance {
namespace {

const date::time_zone* zone_named(std::string_view name) {
  try {
    return date::locate_zone(name);
  } catch (const std::exception&) {
    fail(ErrorKind::usage,
         "time zone '{}' is not in the system's time zone database; expected an IANA name such as Asia/Jakarta "
         "(Debian package tzdata)",
         name);
  }
}

}  // namespace

Zone::Zone(std::string_view name) : zone_(zone_named(name)) {}

LocalTime Zone::local(Time at) const {
  const auto whole = date::floor<std::chrono::seconds>(zone_->to_local(at));
  const auto midnight = date::floor<date::days>(whole);
  const date::year_month_day day(midnight);
  const date::hh_mm_ss<std::chrono::seconds> clock(whole - midnight);
  return {int(day.year()),
          static_cast<int>(unsigned(day.month())),
          static_cast<int>(unsigned(day.day())),
          static_cast<int>(clock.hours().count()),
          static_cast<int>(clock.minutes().count()),
          static_cast<int>(clock.seconds().count())};
}

std::string Zone::name() const { return zone_->name(); }

}  // namespace wajah::attendance
