// Event: somebody came or went. Events are written once and never changed: a correction is an event of its own that
// stands in the place of the one it names.
#pragma once

#include "attendance/records/calendar.hpp"
#include "attendance/store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wajah::attendance {

using EventId = std::int64_t;

enum class Source {
  face,      // found among all people
  claim,     // a claimed NIK and the face that fits
  original,  // the original service's /recognize/ route
  manual,    // entered by an operator
  kiosk,     // recorded by a kiosk while it was offline
};
[[nodiscard]] std::string_view name_of(Source source);
[[nodiscard]] std::optional<Source> parse_source(std::string_view text);

struct Event {
  EventId id = 0;
  std::optional<Person> person;  // nothing once they were removed: no name, no link
  SiteId site = main_site;
  Direction direction = Direction::in;
  Time at;
  Date date;         // the business date, as the site's zone, day_start and the person's shift had it when written
  std::string zone;  // of the site then
  Source source = Source::face;
  std::optional<double> similarity;
  std::optional<EventId> corrects;      // the event this one stands for
  std::optional<EventId> corrected_by;  // the event that stands for this one
  bool struck = false;                  // a correction that says: this never happened
  std::string reason, actor;            // of manual entries and corrections; the actor is who asked, as the caller says
  Time written_at;

  // Events that nothing stands for and that were not struck are those that count.
  [[nodiscard]] bool counts() const { return !struck && !corrected_by; }
  friend bool operator==(const Event&, const Event&) = default;
};

}  // namespace wajah::attendance
