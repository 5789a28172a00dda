#include "attendance/site_time.hpp"

#include <wajah/error.hpp>

#include <date/date.h>
#include <date/tz.h>
#include <fmt/format.h>

#include <cstdlib>
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

std::chrono::local_seconds Zone::wall(Time at) const {
  return std::chrono::local_seconds(date::floor<std::chrono::seconds>(zone_->to_local(at)).time_since_epoch());
}

Time Zone::instant(std::chrono::local_seconds wall) const {
  // choose::earliest is also the jump's instant for times that are left out.
  return zone_->to_sys(date::local_seconds(wall.time_since_epoch()), date::choose::earliest);
}

std::string Zone::rfc3339(Time at) const {
  const auto t = local(at);
  const auto offset = std::chrono::duration_cast<std::chrono::minutes>(zone_->get_info(at).offset).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{:02}:{:02}", t.year, t.month, t.day, t.hour, t.minute,
                     t.second, offset < 0 ? '-' : '+', std::abs(offset) / 60, std::abs(offset) % 60);
}

std::string Zone::name() const { return zone_->name(); }

}  // namespace wajah::attendance
