// What an event at a door means, given the person's others: the rule of directions and of duplicates, alone.
#pragma once

#include "attendance/records/record_store.hpp"

#include <optional>
#include <span>

namespace wajah::attendance {

// `event` complete but for its direction; `others` the person's events that count around it, oldest first. A repetition
// is one at the same site less than `window` away, in the same direction or, if none was said, in any. Without a
// direction the first event of the business date is an arrival and every later one a departure.
[[nodiscard]] Decision decide_event(Event event, std::optional<Direction> direction, Minutes window,
                                    std::span<const Event> others);

}  // namespace wajah::attendance
