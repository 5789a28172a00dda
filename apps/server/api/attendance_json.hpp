// Attendance as JSON: events, days, summaries, and what the kiosk says.
#pragma once

#include "attendance/records/attendance_book.hpp"
#include "attendance/records/report.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>

namespace wajah::server {

// Sites and shifts are told by their codes.
[[nodiscard]] boost::json::object event_json(const attendance::Event& event, const attendance::Calendar& calendar);

// An event with what it made of the person's day: shift, status, whether it repeats an earlier one.
[[nodiscard]] boost::json::object checked_json(const attendance::Checked& checked,
                                               const attendance::Calendar& calendar);

[[nodiscard]] boost::json::object day_json(const attendance::Day& day, const attendance::Calendar& calendar);
[[nodiscard]] boost::json::object summary_json(const attendance::Summary& summary);

// {"id":"Selamat pagi, DENNIS","en":"Good morning, DENNIS"} by the clock of the event's zone.
[[nodiscard]] boost::json::object greeting(const attendance::Event& event);
[[nodiscard]] boost::json::object not_recognised();

}  // namespace wajah::server
