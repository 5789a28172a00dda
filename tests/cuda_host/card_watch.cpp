// When a card is given up, and when it is tried again.
#include <wajah/card_watch.hpp>

#include <optional>
#include <vector>

#include "check.hpp"

namespace wajah {
namespace {

using namespace std::chrono_literals;
using Event = CardWatch::Event;

// A card that does what it is told, and what was told of it.
struct Trial {
  // Whether the card computed it.
  bool use() {
    return watch.either(
        [&] {
          ++uses;
          if (fails) throw Error(*fails, "it failed");
          return true;
        },
        [] { return false; });
  }
  bool use_failing(ErrorKind kind) {
    fails = kind;
    const bool done = use();
    fails.reset();
    return done;
  }
  [[nodiscard]] CardUse state() const { return watch.report().use; }

  CardWatch::Time now{};
  std::optional<ErrorKind> fails;
  int uses = 0;
  std::vector<Event> events;
  CardWatch watch{[this](Event event, const CardReport&) { events.push_back(event); }, [this] { return now; }};
};

TEST_CASE("card watch: no room is the CPU's work and no reason to give the card up, and told once a minute") {
  Trial card;
  for (int round = 0; round < 5; ++round) {
    for (int i = 1; i < CardWatch::most_without_room; ++i) CHECK_FALSE(card.use_failing(ErrorKind::device_memory));
    CHECK(card.use());
  }
  CHECK(card.events == std::vector{Event::without_room});
  CHECK(card.watch.report().without_room == 35);
  CHECK(card.watch.report().without_room_lately);
  card.now += 60s;
  CHECK_FALSE(card.watch.report().without_room_lately);
  CHECK_FALSE(card.use_failing(ErrorKind::device_memory));
  CHECK(card.events == std::vector{Event::without_room, Event::without_room});
  CHECK(card.watch.report().reason == "it failed");
}

TEST_CASE("card watch: eight in a row without room make a card rest, and one that finds room takes it back") {
  Trial card;
  for (int i = 0; i < CardWatch::most_without_room; ++i) (void)card.use_failing(ErrorKind::device_memory);
  CHECK(card.state() == CardUse::resting);
  CHECK(card.watch.report().pause == 30s);
  card.now += 29s;
  CHECK_FALSE(card.use());
  card.now += 1s;
  CHECK(card.use());
  CHECK(card.state() == CardUse::in_use);
  CHECK(card.events == std::vector{Event::without_room, Event::given_up, Event::taken_back});
  CHECK_FALSE(card.use_failing(ErrorKind::device_memory));  // the first of a new row
  CHECK(card.state() == CardUse::in_use);
}

TEST_CASE("card watch: pauses double up to ten minutes, and are short again after a card has worked for so long") {
  Trial card;
  for (const auto pause : {30s, 60s, 120s, 240s, 480s, 600s, 600s}) {
    CHECK_FALSE(card.use_failing(ErrorKind::device_numbers));
    CHECK(card.watch.report().pause == pause);
    const int uses = card.uses;
    card.now += pause - 1s;
    CHECK_FALSE(card.use());
    CHECK(card.uses == uses);
    card.now += 1s;
  }
  CHECK(card.use());
  card.now += 599s;
  CHECK_FALSE(card.use_failing(ErrorKind::device_numbers));
  CHECK(card.watch.report().pause == 600s);
  card.now += 600s;
  CHECK(card.use());
  card.now += 600s;
  CHECK_FALSE(card.use_failing(ErrorKind::device_numbers));
  CHECK(card.watch.report().pause == 30s);
}

TEST_CASE("card watch: any other failure of the card is for good") {
  Trial card;
  CHECK_FALSE(card.use_failing(ErrorKind::device));
  CHECK(card.state() == CardUse::lost);
  card.now += 24h;
  CHECK_FALSE(card.use());
  CHECK(card.uses == 1);
  CHECK(card.events == std::vector{Event::given_up});
  Trial resting;
  CHECK_FALSE(resting.use_failing(ErrorKind::device_numbers));
  resting.now += 30s;
  CHECK_FALSE(resting.use_failing(ErrorKind::device));
  CHECK(resting.state() == CardUse::lost);
}

TEST_CASE("card watch: one picture at a time tries a card, and one that says nothing of it leaves that to the next") {
  Trial card;
  CHECK_FALSE(card.use_failing(ErrorKind::device_numbers));
  card.now += 30s;
  bool others = true;
  CHECK_THROWS_AS((void)card.watch.either(
                      [&]() -> bool {
                        others = card.use();
                        throw Error(ErrorKind::input, "the picture is empty");
                      },
                      [] { return false; }),
                  Error);
  CHECK_FALSE(others);
  CHECK(card.state() == CardUse::resting);
  CHECK(card.use());
  CHECK(card.events == std::vector{Event::given_up, Event::taken_back});
}

TEST_CASE("card watch: what began before a card was given up neither takes it back nor gives it up again") {
  Trial card;
  for (const bool well : {true, false}) {
    const std::size_t told = card.events.size();
    const auto meanwhile_given_up = [&] {
      CHECK_FALSE(card.use_failing(ErrorKind::device_numbers));
      if (!well) throw Error(ErrorKind::device_numbers, "late");
      return true;
    };
    CHECK(card.watch.either(meanwhile_given_up, [] { return false; }) == well);
    CHECK(card.state() == CardUse::resting);
    CHECK(card.events.size() == told + 1);
    CHECK(card.watch.report().reason == "it failed");
    card.now += 10min;
    CHECK(card.use());
  }
}

}  // namespace
}  // namespace wajah
