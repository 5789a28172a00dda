// The calendar as JSON, and back.
#pragma once

#include "attendance/records/calendar.hpp"

#include <boost/json/object.hpp>

#include <string_view>

namespace wajah::server {

[[nodiscard]] boost::json::object site_json(const attendance::Site& site);
[[nodiscard]] boost::json::object shift_json(const attendance::Shift& shift);
[[nodiscard]] boost::json::object holiday_json(const attendance::Holiday& holiday, const attendance::Calendar& calendar);
[[nodiscard]] boost::json::object assignment_json(const attendance::Assignment& assignment,
                                                  const attendance::Calendar& calendar);

// From bodies that have passed their schema. Throw Problem (validation_failed) on a clock time that is none, Problem
// (not_found) on a code that nothing has.
[[nodiscard]] attendance::Site site_of(const boost::json::object& body);
[[nodiscard]] attendance::Shift shift_of(const boost::json::object& body);
[[nodiscard]] attendance::Holiday holiday_of(const boost::json::object& body, const attendance::Calendar& calendar);

[[nodiscard]] const attendance::Site& site_with(const attendance::Calendar& calendar, std::string_view code);
[[nodiscard]] const attendance::Shift& shift_with(const attendance::Calendar& calendar, std::string_view code);

}  // namespace wajah::server
