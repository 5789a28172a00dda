#include <wajah/observer.hpp>

#include <algorithm>
#include <cmath>

namespace wajah {
namespace {

void each_row(ConstView<float> map, auto&& visit) {
  if (map.dense()) return visit(map.data, map.shape.size());
  const auto pixels = static_cast<std::ptrdiff_t>(map.shape.pixels());
  for (std::ptrdiff_t i = 0; i < pixels; ++i) visit(map.data + i * map.stride, static_cast<std::size_t>(map.shape.c));
}

}  // namespace

void Histogram::widen(ConstView<float> map) {
  highs_.resize(static_cast<std::size_t>(map.shape.c));
  const auto pixels = static_cast<std::ptrdiff_t>(map.shape.pixels());
  for (std::ptrdiff_t i = 0; i < pixels; ++i) {
    const float* values = map.data + i * map.stride;
    for (std::size_t c = 0; c < highs_.size(); ++c) {
      low_ = std::min(low_, values[c]);
      highs_[c] = std::max(highs_[c], values[c]);
    }
  }
  high_ = *std::max_element(highs_.begin(), highs_.end());
}

void Histogram::count(ConstView<float> map) {
  counts_.resize(bins);
  const double per_bin = high_ > low_ ? 1 / width() : 0;
  each_row(map, [&](const float* values, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto bin = static_cast<int>((static_cast<double>(values[i]) - static_cast<double>(low_)) * per_bin);
      ++counts_[static_cast<std::size_t>(std::clamp(bin, 0, bins - 1))];
    }
  });
}

double Histogram::width() const { return (static_cast<double>(high_) - static_cast<double>(low_)) / bins; }
double Histogram::center(std::size_t bin) const {
  return static_cast<double>(low_) + width() * (static_cast<double>(bin) + 0.5);
}

Range Histogram::without(double share) const {
  std::uint64_t total = 0;
  for (const std::uint64_t count : counts_) total += count;
  const auto spare = static_cast<std::uint64_t>(share * static_cast<double>(total));
  std::size_t first = 0, last = counts_.size();
  for (std::uint64_t left = spare; first < last && counts_[first] <= left && center(first) < 0; ++first) {
    left -= counts_[first];
  }
  for (std::uint64_t left = spare; last > first && counts_[last - 1] <= left && center(last - 1) > 0; --last) {
    left -= counts_[last - 1];
  }
  const double low = static_cast<double>(low_) + width() * static_cast<double>(first);
  return {std::min(static_cast<float>(low), 0.0F),
          std::max(static_cast<float>(static_cast<double>(low_) + width() * static_cast<double>(last)), 0.0F)};
}

double Histogram::error_of(Range range) const {
  const double low = range.low, high = range.high;
  const double rounding = (high - low) * (high - low) / (255.0 * 255.0 * 12);
  double error = 0;
  for (std::size_t bin = 0; bin < counts_.size(); ++bin) {
    if (counts_[bin] == 0) continue;
    const double beyond = std::max({low - center(bin), center(bin) - high, 0.0});
    error += static_cast<double>(counts_[bin]) * (rounding + beyond * beyond);
  }
  return error;
}

Range Histogram::least_error() const {
  constexpr int tries = 100;
  Range best = all();
  double least = error_of(best);
  for (int i = 1; i < tries; ++i) {
    const float part = static_cast<float>(i) / tries;
    const Range narrower{low_ * part, high_ * part};
    if (const double error = error_of(narrower); error < least) {
      least = error;
      best = narrower;
    }
  }
  return best;
}

void Observation::see(ConstView<float> map) {
  if (next == maps.size()) maps.emplace_back();
  Histogram& histogram = maps[next++];
  if (pass == Pass::widen) {
    histogram.widen(map);
  } else {
    histogram.count(map);
  }
}

}  // namespace wajah
