// What commands that walk over several inputs share: timing, progress, and going on after a bad one.
#pragma once

#include <boost/json/value.hpp>
#include <wajah/detect/box.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace wajah::cli {

class Stopwatch {
 public:
  [[nodiscard]] double milliseconds() const {
    return std::chrono::duration<double, std::milli>(Clock::now() - start_).count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

// A bar on a terminal, a line for every tenth otherwise; all on the standard error, so that results stay clean.
class Progress {
 public:
  Progress(std::string what, std::size_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  Progress(Progress&&) = delete;
  Progress& operator=(Progress&&) = delete;

  void show(std::size_t done);

 private:
  std::string what_;
  std::size_t total_;
  std::size_t shown_ = 0;  // steps of the bar, or tenths
  bool terminal_;
};

// What went wrong with an input, named once ("a.jpg: this looks like text") or not at all ("this looks like text"),
// whether the message names it or not.
[[nodiscard]] std::string about(std::string_view item, std::string_view message);
[[nodiscard]] std::string_view unnamed(std::string_view item, std::string_view message);

// Does `work` for every item; a bad one (Error of kind input) is told on the standard error by name and the others go
// on. Gives exit_input if any was bad, exit_yes otherwise.
[[nodiscard]] int for_each_input(std::string_view command, std::span<const std::string> items,
                                 const std::function<void(const std::string&)>& work);

// [x1,y1,x2,y2] and [[x,y] x5], to thousandths of a pixel.
[[nodiscard]] boost::json::value json_of(const Box& box);
[[nodiscard]] boost::json::value json_of(const Landmarks& points);

// "212,180 260x338": corner and size in whole pixels.
[[nodiscard]] std::string text_of(const Box& box);

}  // namespace wajah::cli
