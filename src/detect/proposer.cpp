#include "proposer.hpp"

#include <algorithm>
#include <cmath>

namespace wajah {

namespace {

constexpr std::size_t band_pixels = std::size_t{1} << 22;  // of all levels together, that are in memory at once
constexpr int strip_pixels = 1 << 17;                      // of a level: what one thread takes at a time

// Of two logits, so that no pair with the probability `threshold` or more, rounded as it may be, differs by less.
float least_difference(float threshold) {
  constexpr double rounding = 1e-6, margin = 1e-3;
  const double least = static_cast<double>(threshold) - rounding;
  return least <= 0 ? -HUGE_VALF : static_cast<float>(std::log(least / (1 - least)) - margin);
}

std::size_t pixels_of(const Level& level) {
  return static_cast<std::size_t>(level.width) * static_cast<std::size_t>(level.height);
}

}  // namespace

template <class T>
T* Proposer::reserve(Buffer& buffer, std::size_t count) {
  if (buffer.size() < count * sizeof(T)) buffer = Buffer(count * sizeof(T));
  return buffer.as<T>();
}

// The rows of every level that belong to one band of the picture, with those that its last windows reach into.
void Proposer::cut(std::span<const Level> levels, Part band) {
  pieces_.clear();
  std::size_t pixels = 0;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const Level& level = levels[i];
    const int outputs = pnet_outputs(level.height);
    const int begin = static_cast<int>(band.begin(outputs)), end = static_cast<int>(band.end(outputs));
    if (begin == end) continue;
    const int top = begin * pnet_stride;
    const int bottom = end == outputs ? level.height : (end - 1) * pnet_stride + pnet_window;
    const ResizePlan& plan = plans_[i];
    pieces_.push_back({i,
                       begin,
                       end - begin,
                       {plan.columns.view(),
                        plan.rows.view(top),
                        {nullptr, {1, bottom - top, level.width, 4}},
                        plan.scale,
                        plan.rounding}});
    pixels += pieces_.back().shrunk.y.shape.pixels();
  }
  auto* next = reserve<std::uint8_t>(pixels_, 4 * pixels);
  for (Piece& piece : pieces_) {
    piece.shrunk.y.data = next;
    next += piece.shrunk.y.shape.size();
  }
}

void Proposer::shrink_pieces(const Image& image) {
  shrunk_.clear();
  std::ptrdiff_t widest = 0, all = 0;
  for (const Piece& piece : pieces_) {
    shrunk_.push_back(piece.shrunk);
    widest = std::max<std::ptrdiff_t>(widest, piece.shrunk.y.shape.w);
    all += piece.shrunk.y.shape.w;
  }
  const int count = static_cast<int>(shrunk_.size());
  const auto threads = static_cast<std::size_t>(cpu_.threads());
  const std::ptrdiff_t each = shrink_scratch(image.width, widest, all, count);
  walks_.resize(threads * shrunk_.size());
  shrink(cpu_, {{image.pixels.data(), {1, image.height, image.width, 3}},
                shrunk_.data(),
                count,
                walks_.data(),
                reserve<float>(scratch_, threads * static_cast<std::size_t>(each)),
                each});
}

void Proposer::scan_pieces(float threshold, const PNetWeights& weights, const PNetScreen* screen) {
  strips_.clear();
  level_of_strip_.clear();
  std::size_t places = 0;
  int widest = 0, tallest = 0;
  for (const Piece& piece : pieces_) {
    const View<std::uint8_t> y = piece.shrunk.y;
    widest = std::max(widest, y.shape.w);
    places += static_cast<std::size_t>(piece.outputs) * static_cast<std::size_t>(pnet_outputs(y.shape.w));
    const int most = std::max(strip_pixels / pnet_stride / y.shape.w, 8), count = (piece.outputs + most - 1) / most;
    for (int i = 0; i < count; ++i) {
      const Part part{i, count};
      const int begin = static_cast<int>(part.begin(piece.outputs)), end = static_cast<int>(part.end(piece.outputs));
      const int top = begin * pnet_stride;
      const int bottom = i + 1 == count ? y.shape.h : (end - 1) * pnet_stride + pnet_window;
      tallest = std::max(tallest, bottom - top);
      strips_.push_back({{y.pixel(0, top, 0), {1, bottom - top, y.shape.w, 4}}, piece.first_output + begin});
      level_of_strip_.push_back(piece.level);
    }
  }
  auto* hits = reserve<PNetHit>(hits_, places);
  for (PNetStrip& strip : strips_) {
    strip.hits = hits;
    hits += pnet_outputs(strip.x.shape.h) * pnet_outputs(strip.x.shape.w);
  }
  int next = 0;
  const std::ptrdiff_t each = scan_pnet_scratch(widest, tallest);
  scan_pnet(cpu_,
            {&weights, screen, strips_.data(), static_cast<int>(strips_.size()), &next, least_difference(threshold),
             reserve<float>(scratch_, static_cast<std::size_t>(each * cpu_.threads())), each});
}

std::vector<std::vector<PNetHit>> Proposer::propose(const Image& image, std::span<const Level> levels, float threshold,
                                                    const PNetWeights& weights, const PNetScreen* screen,
                                                    const DetectorWatch& watch) {
  std::vector<std::vector<PNetHit>> found(levels.size());
  if (plans_.size() < levels.size()) plans_.resize(levels.size());
  std::size_t pixels = 0;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    make_plan(plans_[i], image.width, image.height, levels[i].width, levels[i].height, true);
    pixels += pixels_of(levels[i]);
  }
  const int bands = static_cast<int>((pixels + band_pixels - 1) / band_pixels);
  for (int band = 0; band < bands; ++band) {
    cut(levels, {band, bands});
    shrink_pieces(image);
    if (watch) watch({DetectorStage::pyramid, pieces_.size(), 0});
    scan_pieces(threshold, weights, screen);
    if (watch) watch({DetectorStage::pnet, strips_.size(), strips_.size()});
    for (std::size_t i = 0; i < strips_.size(); ++i) {
      std::vector<PNetHit>& of_level = found[level_of_strip_[i]];
      of_level.reserve(of_level.size() + static_cast<std::size_t>(strips_[i].found));
      for (int k = 0; k < strips_[i].found; ++k) {
        if (strips_[i].hits[k].score >= threshold) of_level.push_back(strips_[i].hits[k]);
      }
    }
  }
  return found;
}

}  // namespace wajah
