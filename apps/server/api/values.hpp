// How values stand in the JSON of /api/v1: ids, times, people, and reading them back.
#pragma once

#include "attendance/records/calendar.hpp"
#include "attendance/storage/people_store.hpp"
#include "server/route.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wajah::server {

// "2026-11-22T07:58:11+07:00" in the zone of that IANA name.
[[nodiscard]] std::string rfc3339(attendance::Time at, std::string_view zone);

// Back; the text must have passed the format "date-time".
[[nodiscard]] attendance::Time parse_rfc3339(std::string_view text);

[[nodiscard]] boost::json::value nullable(const std::optional<std::string>& text);
[[nodiscard]] boost::json::value nullable_time(const std::optional<attendance::Time>& at, std::string_view zone);

// Ids are a letter and a number: p_12 people, f_ photos, e_ events, j_ jobs, w_ webhooks, h_ holidays, a_ assignments.
[[nodiscard]] std::string id_text(char letter, std::int64_t id);
[[nodiscard]] std::optional<std::int64_t> parse_id(char letter, std::string_view text);

// Values of a checked query or body; nothing if not given.
[[nodiscard]] std::optional<std::string> text_in(const boost::json::object& values, std::string_view name);
[[nodiscard]] std::string text_or(const boost::json::object& values, std::string_view name, std::string_view otherwise);
[[nodiscard]] std::optional<std::int64_t> integer_in(const boost::json::object& values, std::string_view name);
[[nodiscard]] std::optional<bool> flag_in(const boost::json::object& values, std::string_view name);
// Throws Problem (validation_failed) on a text that is no date.
[[nodiscard]] std::optional<attendance::Date> date_in(const boost::json::object& values, std::string_view name);
[[nodiscard]] std::optional<attendance::Time> time_in(const boost::json::object& values, std::string_view name);

// Values that the schema has asked for; one that is missing all the same is told like one that is wrong.
[[nodiscard]] attendance::Date needed_date(const boost::json::object& values, std::string_view name);
[[nodiscard]] attendance::Time needed_time(const boost::json::object& values, std::string_view name);

// One decimal is finer than any detector.
[[nodiscard]] double rounded(double value, int decimals = 1);

// {"id":"p_12","nik":"...","name":"..."}: a person where one is only mentioned.
[[nodiscard]] boost::json::object mention(const attendance::Person& person);

[[nodiscard]] boost::json::object person_json(const attendance::PersonRecord& record, std::string_view zone);

}  // namespace wajah::server
