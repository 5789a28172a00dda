// Boxes are whole pixels counted from 1 until the last regression, so a crop starts at x1 - 1, y1 - 1. They are kept in
// double and network outputs in float, as numpy keeps them: the rounding decides which pixels a crop holds.
#include <wajah/detect/cascade.hpp>
#include <wajah/detect/nms.hpp>
#include <wajah/error.hpp>

#include "proposer.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <exception>
#include <iterator>
#include <utility>

namespace wajah {

namespace {

constexpr int strip_pixels = 1 << 19;      // of a level, that go through P-Net at once
constexpr std::size_t crops_at_once = 8;  // that go through R- or O-Net
constexpr double farthest = 1 << 20;       // no box of a real face lies a million pixels outside
using Regression = std::array<float, 4>;

Regression regression_of(const float* p) { return {p[0], p[1], p[2], p[3]}; }

// The original counts a box as x2 - x1 wide in its first stage and x2 - x1 + 1 in the others.
Box regress(const Box& box, const Regression& by, int extra) {
  const double width = box.width() + extra, height = box.height() + extra;
  return {box.x1 + static_cast<double>(by[0]) * width, box.y1 + static_cast<double>(by[1]) * height,
          box.x2 + static_cast<double>(by[2]) * width, box.y2 + static_cast<double>(by[3]) * height};
}

Box whole_square(const Box& box) {
  const double width = box.width(), height = box.height(), side = std::max(width, height);
  const double x1 = box.x1 + width * 0.5 - side * 0.5, y1 = box.y1 + height * 0.5 - side * 0.5;
  return {std::trunc(x1), std::trunc(y1), std::trunc(x1 + side), std::trunc(y1 + side)};
}

// Weights that are no MTCNN can regress a box to anything, not-a-number included; no crop can be made of those.
bool has_pixels(const Box& box) {
  const auto near = [](double v) { return std::abs(v) <= farthest; };
  return near(box.x1) && near(box.y1) && near(box.x2) && near(box.y2) && box.width() >= 0 && box.height() >= 0;
}

bool is_finite(const Box& box) {
  return std::isfinite(box.x1) && std::isfinite(box.y1) && std::isfinite(box.x2) && std::isfinite(box.y2);
}

CropWindow window_of(const Box& box) {
  return {static_cast<int>(box.x1) - 1, static_cast<int>(box.y1) - 1, static_cast<int>(box.width()) + 1,
          static_cast<int>(box.height()) + 1};
}

template <class Scored>
std::vector<Scored> keep_best(const std::vector<Scored>& all, double threshold, Overlap overlap) {
  std::vector<ScoredBox> boxes;
  boxes.reserve(all.size());
  for (const Scored& scored : all) boxes.push_back({scored.box, scored.score});
  std::vector<Scored> kept;
  for (const std::uint32_t i : suppress(boxes, threshold, overlap)) kept.push_back(all[i]);
  return kept;
}

Landmarks landmarks_of(const Box& box, const float* p) {
  Landmarks points;
  for (std::size_t i = 0; i < points.size(); ++i) {
    // Through float, as the original stores them.
    points[i].x = static_cast<float>((box.width() + 1) * static_cast<double>(p[i]) + box.x1 - 1);
    points[i].y = static_cast<float>((box.height() + 1) * static_cast<double>(p[i + 5]) + box.y1 - 1);
  }
  return points;
}

}  // namespace

// What P-Net found on one level, and what it regresses at the place opposite to the first hit, left to right.
struct Cascade::LevelHits {
  std::vector<PNetHit> hits;
  Regression mirrored{};
};

struct Cascade::Proposal {
  Box box;
  float score = 0;
  Regression regression{};

  static std::vector<Proposal> best_of(const Level& level, LevelHits&& found);
};

struct Cascade::Verdict {
  Box box;
  float score = 0;
  Regression regression{};
  Landmarks points{};
};

struct Cascade::Worker {
  AreaResizer resizer;
  Buffer input{};
  std::vector<CropWindow> windows{};

  void judge(const Image& image, std::span<const Box> boxes, int side, const Networks::Forward& network,
             Verdict* verdicts);
};

Cascade::Cascade(const Cpu& cpu) : cpu_(cpu), resizer_(cpu), proposer_(std::make_unique<Proposer>(cpu)) {
  const Cpu alone(1, cpu.isa());
  for (int i = 0; i < cpu.threads(); ++i) workers_.push_back({AreaResizer(alone)});
}
Cascade::~Cascade() = default;
Cascade::Cascade(Cascade&&) noexcept = default;
Cascade& Cascade::operator=(Cascade&&) noexcept = default;

View<float> Cascade::input(Shape shape) {
  if (input_.size() < bytes_of(shape)) input_ = Buffer(bytes_of(shape));
  return {input_.as<float>(), shape};
}

Cascade::LevelHits Cascade::look_at(const Image& image, const Level& level, float threshold,
                                    const Networks::Forward& pnet) {
  const int rows = pnet_outputs(level.height);
  const int rows_at_once = std::max((strip_pixels / level.width - pnet_window) / pnet_stride + 1, 1);
  const int strips = (rows + rows_at_once - 1) / rows_at_once;
  LevelHits found;
  for (int i = 0; i < strips; ++i) {
    const Part strip{i, strips};
    const int begin = static_cast<int>(strip.begin(rows)), end = static_cast<int>(strip.end(rows));
    const int top = begin * pnet_stride;
    const int bottom = i + 1 == strips ? level.height : (end - 1) * pnet_stride + pnet_window;
    const View<float> x = input({1, bottom - top, level.width, 3});
    resizer_.rows(image, level.width, level.height, top, x);
    const ConstView<float> y = pnet(x);
    for (int row = 0; row < y.shape.h; ++row) {
      for (int column = 0; column < y.shape.w; ++column) {
        const float* p = y.pixel(0, row, column);
        if (!(p[1] >= threshold)) continue;
        if (found.hits.empty()) found.mirrored = regression_of(y.pixel(0, row, y.shape.w - 1 - column) + 2);
        found.hits.push_back({column, begin + row, p[1], {p[2], p[3], p[4], p[5]}});
      }
    }
  }
  return found;
}

// The hits of every level. Only levels that enlarge the picture need the network layer by layer.
std::vector<Cascade::LevelHits> Cascade::look(const Image& image, std::span<const Level> levels, float threshold,
                                              const Networks& networks) {
  const auto plain = [&](const Level& level) {
    return networks.scan == nullptr || level.width > image.width || level.height > image.height;
  };
  const auto first = static_cast<std::size_t>(std::ranges::count_if(levels, plain));
  std::vector<LevelHits> found;
  for (const Level& level : levels.first(first)) found.push_back(look_at(image, level, threshold, networks.pnet));
  const auto others = levels.subspan(first);
  if (others.empty()) return found;
  std::vector<std::vector<PNetHit>> hits = proposer_->propose(image, others, threshold, *networks.scan);
  for (std::size_t i = 0; i < hits.size(); ++i) {
    found.push_back({std::move(hits[i]), {}});
    if (found.back().hits.size() != 1) continue;
    found.back().mirrored = mirrored(image, others[i], found.back().hits.front(), networks.pnet);
  }
  return found;
}

// What P-Net regresses at the place that lies opposite, left to right.
Regression Cascade::mirrored(const Image& image, const Level& level, const PNetHit& hit,
                             const Networks::Forward& pnet) {
  const int top = hit.row * pnet_stride, left = (pnet_outputs(level.width) - 1 - hit.column) * pnet_stride;
  const int height = std::min(pnet_window, level.height - top), width = std::min(pnet_window, level.width - left);
  const View<float> rows = input({1, height, level.width, 3});
  resizer_.rows(image, level.width, level.height, top, rows);
  std::array<float, pnet_window * pnet_window * 3> pixels;
  for (int row = 0; row < height; ++row) {
    std::copy_n(rows.pixel(0, row, left), width * 3, pixels.begin() + row * width * 3);
  }
  return regression_of(pnet({pixels.data(), {1, height, width, 3}}).data + 2);
}

std::vector<Cascade::Proposal> Cascade::Proposal::best_of(const Level& level, LevelHits&& found) {
  // The original turns a level's regressions left to right when it has exactly one proposal, a slip that moves boxes of
  // large faces by some pixels: whoever compares with recorded boxes needs it.
  auto& hits = found.hits;
  if (hits.size() == 1) std::ranges::copy(found.mirrored, hits.front().regression);
  // It also walks the map by columns, which shows where scores are equal.
  std::ranges::sort(hits, {}, [](const PNetHit& hit) { return std::pair(hit.column, hit.row); });
  std::vector<Proposal> proposals;
  proposals.reserve(hits.size());
  for (const PNetHit& hit : hits) {
    const double left = hit.column * pnet_stride + 1, upper = hit.row * pnet_stride + 1;
    const Box box{std::trunc(left / level.scale), std::trunc(upper / level.scale),
                  std::trunc((left + pnet_window - 1) / level.scale),
                  std::trunc((upper + pnet_window - 1) / level.scale)};
    proposals.push_back({box, hit.score, regression_of(hit.regression)});
  }
  return keep_best(proposals, 0.5, Overlap::of_union);
}

std::vector<Box> Cascade::propose(const Image& image, const DetectorOptions& options, const Networks& networks) {
  const std::vector<Level> levels =
      pyramid_levels(image.width, image.height, options.min_size, options.factor);
  std::vector<LevelHits> hits = look(image, levels, options.thresholds[0], networks);
  std::vector<Proposal> all;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const std::vector<Proposal> found = Proposal::best_of(levels[i], std::move(hits[i]));
    all.insert(all.end(), found.begin(), found.end());
  }
  std::vector<Box> boxes;
  for (const Proposal& proposal : keep_best(all, 0.7, Overlap::of_union)) {
    boxes.push_back(whole_square(regress(proposal.box, proposal.regression, 0)));
  }
  return boxes;
}

// What a worker makes of a batch of boxes: verdicts, of which the scores at most the threshold are to be ignored.
void Cascade::Worker::judge(const Image& image, std::span<const Box> boxes, int side, const Networks::Forward& network,
                            Verdict* verdicts) {
  windows.clear();
  for (const Box& box : boxes) windows.push_back(window_of(box));
  const Shape shape{static_cast<int>(boxes.size()), side, side, 3};
  if (input.size() < bytes_of(shape)) input = Buffer(bytes_of(shape));
  const View<float> x(input.as<float>(), shape);
  resizer.crops(image, windows, x);
  const ConstView<float> y = network(x);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const float* p = y.pixel(static_cast<int>(i), 0, 0);
    verdicts[i] = {boxes[i], p[1], regression_of(p + 2), {}};
    if (y.shape.c > 6) verdicts[i].points = landmarks_of(boxes[i], p + 6);
  }
}

// Each thread takes the next batch through the whole network by itself: its maps stay in its own cache, and nobody
// waits before the end.
std::vector<Cascade::Verdict> Cascade::judge(const Image& image, std::span<const Box> boxes, int side, float threshold,
                                             Forwards networks) {
  std::vector<Box> usable;
  std::ranges::copy_if(boxes, std::back_inserter(usable), has_pixels);
  std::vector<Verdict> verdicts(usable.size());
  std::vector<std::exception_ptr> failures(workers_.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&](Part part) {
    const auto i = static_cast<std::size_t>(part.index);
    if (i >= networks.size()) return;
    try {
      for (std::size_t first; (first = next.fetch_add(crops_at_once)) < usable.size();) {
        const auto batch = std::span(usable).subspan(first, std::min(crops_at_once, usable.size() - first));
        workers_[i].judge(image, batch, side, networks[i], &verdicts[first]);
      }
    } catch (...) {
      failures[i] = std::current_exception();
    }
  };
  cpu_.run(+[](const decltype(work)& call, Part part) { call(part); }, work);
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  std::erase_if(verdicts, [threshold](const Verdict& verdict) { return !(verdict.score > threshold); });
  return verdicts;
}

std::vector<Box> Cascade::refine(const Image& image, std::span<const Box> boxes, float threshold, Forwards rnet) {
  std::vector<Box> refined;
  for (const Verdict& verdict : keep_best(judge(image, boxes, 24, threshold, rnet), 0.7, Overlap::of_union)) {
    refined.push_back(whole_square(regress(verdict.box, verdict.regression, 1)));
  }
  return refined;
}

std::vector<Face> Cascade::decide(const Image& image, std::span<const Box> boxes, float threshold, Forwards onet) {
  std::vector<Verdict> verdicts = judge(image, boxes, 48, threshold, onet);
  for (Verdict& verdict : verdicts) verdict.box = regress(verdict.box, verdict.regression, 1);
  std::erase_if(verdicts, [](const Verdict& verdict) { return !is_finite(verdict.box); });
  std::vector<Face> faces;
  for (const Verdict& verdict : keep_best(verdicts, 0.7, Overlap::of_smaller)) {
    faces.push_back({verdict.box, verdict.score, verdict.points});
  }
  return faces;
}

std::vector<Face> Cascade::run(const Image& image, const DetectorOptions& options, const Networks& networks) {
  validate(options);
  if (image.empty()) fail(ErrorKind::input, "the picture to look for faces in is empty");
  const std::vector<Box> proposed = propose(image, options, networks);
  const std::vector<Box> refined = refine(image, proposed, options.thresholds[1], networks.rnet);
  return decide(image, refined, options.thresholds[2], networks.onet);
}

}  // namespace wajah
