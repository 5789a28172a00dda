#include <wajah/card_watch.hpp>

#include <algorithm>
#include <optional>

namespace wajah {

CardWatch::CardWatch(Tell tell, std::function<Time()> now)
    : tell_(std::move(tell)), now_(std::move(now)), since_(now_()), last_told_(since_ - lately) {}

bool CardWatch::in_use() const {
  const std::lock_guard lock(mutex_);
  return state_.use == CardUse::in_use;
}

CardReport CardWatch::report() const {
  const Time now = now_();
  const std::lock_guard lock(mutex_);
  return report_at(now);
}

CardReport CardWatch::report_at(Time now) const {
  CardReport report = state_;
  report.without_room_lately = state_.without_room > 0 && now - last_without_room_ < lately;
  return report;
}

CardWatch::Way CardWatch::begin() {
  const std::lock_guard lock(mutex_);
  if (state_.use == CardUse::in_use) return Way::card;
  if (state_.use == CardUse::lost || trying_ || now_() - since_ < state_.pause) return Way::cpu;
  trying_ = true;
  return Way::trial;
}

void CardWatch::end(Way way, bool well) {
  CardReport report;
  {
    const std::lock_guard lock(mutex_);
    if (way == Way::trial) trying_ = false;
    if (!well || state_.use == CardUse::lost) return;
    if (way == Way::card) {
      without_room_in_a_row_ = 0;
      return;
    }
    state_.use = CardUse::in_use;
    without_room_in_a_row_ = 0;
    since_ = now_();
    report = report_at(since_);
  }
  tell_(Event::taken_back, report);
}

void CardWatch::failed(const Error& error, Way way) {
  std::optional<Event> event;
  CardReport report;
  {
    const std::lock_guard lock(mutex_);
    const Time now = now_();
    if (way == Way::trial) trying_ = false;
    if (state_.use == CardUse::lost) return;
    // Else it began before the card was given up, and says nothing new.
    const bool tried = way == Way::trial || state_.use == CardUse::in_use;
    const bool room = error.kind() != ErrorKind::device_memory;
    const bool due = !room && find_no_room(now);
    if (error.kind() == ErrorKind::device) {
      state_.use = CardUse::lost;
      event = Event::given_up;
    } else if (tried && (room || way == Way::trial || without_room_in_a_row_ >= most_without_room)) {
      rest(now);
      event = Event::given_up;
    } else if (due) {
      event = Event::without_room;
    }
    if (event || tried) state_.reason = error.what();
    report = report_at(now);
  }
  if (event) tell_(*event, report);
}

// Whether it is time to tell of it.
bool CardWatch::find_no_room(Time now) {
  ++state_.without_room;
  ++without_room_in_a_row_;
  last_without_room_ = now;
  if (now - last_told_ < lately) return false;
  last_told_ = now;
  return true;
}

// A card that has worked for longer than the longest pause begins with the shortest again.
void CardWatch::rest(Time now) {
  const bool worked = state_.use == CardUse::in_use && now - since_ >= longest_pause;
  state_.pause = worked ? shortest_pause : std::clamp(2 * state_.pause, shortest_pause, longest_pause);
  state_.use = CardUse::resting;
  since_ = now;
  without_room_in_a_row_ = 0;
}

}  // namespace wajah
