#include "host_clock.hpp"

#include <memory>
#include <vector>

#include "launcher.hpp"
#include "recorded_launch.hpp"

namespace wajah {
namespace {

struct Recording {
  shim::Stream* stream;
  std::vector<std::size_t> marks;  // launches that were recorded before each
  std::vector<shim::RecordedLaunch> launches;
  bool played = false;
};

Recording& of(void* recording) { return *static_cast<Recording*>(recording); }

int end(void* recording, std::vector<LaunchFacts>* launches) {
  Recording& in = of(recording);
  in.stream->recording = false;
  for (const auto& launch : in.stream->recorded) in.launches.push_back(*launch.target<shim::RecordedLaunch>());
  in.stream->recorded.clear();
  for (std::size_t i = 0; i < in.launches.size(); ++i) {
    std::size_t marks = 0;
    while (marks < in.marks.size() && in.marks[marks] <= i) ++marks;
    launches->push_back({in.launches[i].shape.kernel, in.launches[i].shape.grid.count(), marks});
  }
  return 0;
}

int play_nothing(void* recording) {
  of(recording).played = true;
  return 0;
}

int play(void* recording) {
  for (const shim::RecordedLaunch& launch : of(recording).launches) launch();
  of(recording).played = true;
  return 0;
}

int read(void* recording, std::vector<double>* milliseconds) {
  if (!of(recording).played) return 1;
  for (const shim::RecordedLaunch& launch : of(recording).launches) {
    milliseconds->push_back(host_clock_ms * static_cast<double>(launch.shape.grid.count()));
  }
  return 0;
}

}  // namespace

const ClockDriver& host_clock() {
  static const ClockDriver driver{
      .begin =
          [](void* stream, void** recording) {
            auto* const on = static_cast<shim::Stream*>(stream);
            on->recording = true;
            *recording = std::make_unique<Recording>(Recording{on, {}, {}}).release();
            return 0;
          },
      .mark =
          [](void* recording) {
            of(recording).marks.push_back(of(recording).stream->recorded.size());
            return 0;
          },
      .end = &end,
      .play = &play,
      .read = &read,
      .drop = [](void* recording) { return of(recording).stream->recording = false, delete &of(recording), 0; },
      .rates =
          [](int, CardRates* rates) {
            return *rates = {1.0, 1000.0}, 0;
          }};
  return driver;
}

const ClockDriver& host_clock_alone() {
  static const ClockDriver driver = [] {
    ClockDriver changed = host_clock();
    changed.play = &play_nothing;
    return changed;
  }();
  return driver;
}

}  // namespace wajah
