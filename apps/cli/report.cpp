#include "cli/report.hpp"

#include "cli/command.hpp"
#include "cli/json_text.hpp"

#include <wajah/error.hpp>

#include <fmt/format.h>
#include <unistd.h>
#include <boost/json/array.hpp>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace wajah::cli {

namespace json = boost::json;

namespace {
constexpr std::size_t bar_width = 40;
constexpr std::size_t bar_steps = bar_width * 10;  // how often the bar is drawn
constexpr std::size_t lines = 10;
}  // namespace

Progress::Progress(std::string what, std::size_t total)
    : what_(std::move(what)), total_(total), terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (terminal_ && shown_ > 0 && shown_ < bar_steps) std::fputs("\n", stderr);
}

void Progress::show(std::size_t done) {
  if (total_ == 0) return;
  done = std::min(done, total_);
  const std::size_t step = done * (terminal_ ? bar_steps : lines) / total_;
  if (step == shown_) return;
  shown_ = step;
  if (terminal_) {
    const std::size_t filled = done * bar_width / total_;
    fmt::print(stderr, "\r{} [{:█<{}}{:░<{}}] {:3} %", what_, "", filled, "", bar_width - filled, done * 100 / total_);
    if (done >= total_) std::fputs("\n", stderr);
    std::fflush(stderr);
  } else {
    fmt::print(stderr, "{}: {} of {}\n", what_, done, total_);
  }
}

std::string about(std::string_view item, std::string_view message) {
  return fmt::format("{}: {}", item, unnamed(item, message));
}

std::string_view unnamed(std::string_view item, std::string_view message) {
  constexpr std::string_view between = ": ";
  const bool named = message.starts_with(item) && message.substr(item.size()).starts_with(between);
  return named ? message.substr(item.size() + between.size()) : message;
}

int for_each_input(std::string_view command, std::span<const std::string> items,
                   const std::function<void(const std::string&)>& work) {
  int status = exit_yes;
  for (const std::string& item : items) {
    try {
      work(item);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::input) throw;
      fmt::print(stderr, "wajah {}: {}\n", command, about(item, error.what()));
      status = exit_input;
    }
  }
  return status;
}

json::value json_of(const Box& box) {
  return json::array{rounded(box.x1), rounded(box.y1), rounded(box.x2), rounded(box.y2)};
}

json::value json_of(const Landmarks& points) {
  json::array array;
  for (const Point& point : points) array.push_back(json::array{rounded(point.x), rounded(point.y)});
  return array;
}

std::string text_of(const Box& box) {
  return fmt::format("{:.0f},{:.0f} {:.0f}x{:.0f}", box.x1, box.y1, box.width(), box.height());
}

}  // namespace wajah::cli
