// CardWatch: whether a card still works, for all who compute on it: the first failure of one sends all to the CPU,
// until the program is started again.
#pragma once

#include <wajah/error.hpp>

#include <atomic>
#include <functional>
#include <string>
#include <utility>

namespace wajah {

class CardWatch {
 public:
  // `failed` is told why, once, on the thread that found out.
  explicit CardWatch(std::function<void(const std::string&)> failed) : tell_(std::move(failed)) {}

  [[nodiscard]] bool works() const { return works_; }

  void give_up(const std::string& reason) {
    if (works_.exchange(false)) tell_(reason);
  }

  // What on_card() gives if the card works and it throws no Error (device); else, from then on, what on_cpu() gives.
  template <class OnCard, class OnCpu>
  auto either(const OnCard& on_card, const OnCpu& on_cpu) {
    if (works()) {
      try {
        return on_card();
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::device) throw;
        give_up(error.what());
      }
    }
    return on_cpu();
  }

 private:
  std::atomic<bool> works_{true};
  std::function<void(const std::string&)> tell_;
};

}  // namespace wajah
