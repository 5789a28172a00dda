// CardWatch: whether a card still works, for all who compute on it. What fails there is computed on the CPU.
//
// No room for one picture (device_memory) says nothing against a card, unless most_without_room in a row find none.
// After that, or after numbers that are not finite (device_numbers), the card rests, and one picture tries it again:
// after 30 s, and after twice as long each time up to 10 min. Any other failure (device) may leave the whole process
// without CUDA, which only another one gets back, so that card is lost.
#pragma once

#include <wajah/error.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

namespace wajah {

enum class CardUse { in_use, resting, lost };

struct CardReport {
  CardUse use = CardUse::in_use;
  std::string reason;                // of the last failure; empty: none
  std::chrono::seconds pause{0};     // of a card that rests: from the failure to the trial
  std::uint64_t without_room = 0;    // failures for want of room, since the start
  bool without_room_lately = false;  // one of them within the last minute
};

class CardWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr int most_without_room = 8;
  static constexpr std::chrono::seconds shortest_pause{30}, longest_pause{600}, lately{60};

  // without_room is told at most once in `lately`, the others each time.
  enum class Event { without_room, given_up, taken_back };
  using Tell = std::function<void(Event, const CardReport&)>;

  // `tell` is called on the thread that found out, and must not throw.
  explicit CardWatch(Tell tell, std::function<Time()> now = &std::chrono::steady_clock::now);

  [[nodiscard]] bool in_use() const;
  [[nodiscard]] CardReport report() const;

  // What on_card() gives if the card is in use, or it is time to try it again, and it throws no Error of a device; else
  // what on_cpu() gives. Other errors say nothing of the card and pass through.
  template <class OnCard, class OnCpu>
  auto either(const OnCard& on_card, const OnCpu& on_cpu) {
    Turn turn(*this);
    if (turn.on_card()) {
      try {
        return on_card();
      } catch (const Error& error) {
        if (!of_device(error.kind())) throw;
        turn.failed(error);
      }
    }
    return on_cpu();
  }

 private:
  enum class Way { cpu, card, trial };

  // One use of the card: unless it is told of a failure, it went well, or was called off by another exception.
  class Turn {
   public:
    explicit Turn(CardWatch& watch) : watch_(watch), way_(watch.begin()) {}
    ~Turn() {
      if (way_ != Way::cpu) watch_.end(way_, std::uncaught_exceptions() == uncaught_);
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    Turn(Turn&&) = delete;
    Turn& operator=(Turn&&) = delete;

    [[nodiscard]] bool on_card() const { return way_ != Way::cpu; }
    void failed(const Error& error) { watch_.failed(error, std::exchange(way_, Way::cpu)); }

   private:
    CardWatch& watch_;
    Way way_;
    int uncaught_ = std::uncaught_exceptions();
  };

  [[nodiscard]] Way begin();
  void end(Way way, bool well);
  void failed(const Error& error, Way way);
  // With the mutex held:
  [[nodiscard]] bool find_no_room(Time now);
  void rest(Time now);
  [[nodiscard]] CardReport report_at(Time now) const;

  Tell tell_;
  std::function<Time()> now_;
  mutable std::mutex mutex_;  // guards all below
  CardReport state_;
  Time since_;  // in use or at rest
  bool trying_ = false;
  int without_room_in_a_row_ = 0;
  Time last_without_room_, last_told_;  // if there was one
};

}  // namespace wajah
