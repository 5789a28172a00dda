#include "attendance/records/direction_rule.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

namespace wajah::attendance {

Decision decide_event(Event event, std::optional<Direction> direction, Minutes window, std::span<const Event> others) {
  const auto repeated = [&](const Event& other) {
    return other.site == event.site && (!direction || other.direction == *direction) &&
           std::max(event.at - other.at, other.at - event.at) < window;
  };
  for (const Event& other : others | std::views::reverse) {
    if (repeated(other)) return {other, true};
  }
  const auto before = [&](const Event& other) { return other.date == event.date && other.at <= event.at; };
  const auto by_order = std::ranges::any_of(others, before) ? Direction::out : Direction::in;
  event.direction = direction.value_or(by_order);
  return {std::move(event), false};
}

}  // namespace wajah::attendance
