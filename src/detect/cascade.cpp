// Boxes are whole pixels counted from 1 until the last regression, so a crop starts at x1 - 1, y1 - 1. They are kept in
// double and network outputs in float, as numpy keeps them: the rounding decides which pixels a crop holds.
#include <wajah/detect/cascade.hpp>
#include <wajah/detect/nms.hpp>
#include <wajah/error.hpp>

#include "judges.hpp"
#include "proposer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

namespace wajah {

namespace {

constexpr int strip_pixels = 1 << 19;  // of a level, that go through P-Net at once

Regression regression_of(const float* p) { return {p[0], p[1], p[2], p[3]}; }

Box whole_square(const Box& box) {
  const double width = box.width(), height = box.height(), side = std::max(width, height);
  const double x1 = box.x1 + width * 0.5 - side * 0.5, y1 = box.y1 + height * 0.5 - side * 0.5;
  return {std::trunc(x1), std::trunc(y1), std::trunc(x1 + side), std::trunc(y1 + side)};
}

template <class Scored>
std::vector<Scored> keep_best(const std::vector<Scored>& all, double threshold, Overlap overlap) {
  std::vector<ScoredBox> boxes;
  boxes.reserve(all.size());
  for (const Scored& scored : all) boxes.push_back({scored.box, scored.score});
  const std::vector<std::uint32_t> best = suppress(boxes, threshold, overlap);
  std::vector<Scored> kept;
  kept.reserve(best.size());
  for (const std::uint32_t i : best) kept.push_back(all[i]);
  return kept;
}

}  // namespace

void put_best_first(std::vector<Face>& faces, int width, int height) {
  // Which of equal scores comes first the original leaves to numpy's sort, so it depends on the CPU and on scores of
  // boxes that are not left. Here it is the one farther from the middle, as in the recorded results.
  const auto distance = [&](const Face& face) {
    return std::hypot(face.box.x1 + face.box.x2 - width, face.box.y1 + face.box.y2 - height);
  };
  std::ranges::stable_sort(faces, {}, [&](const Face& face) { return std::pair(-face.score, -distance(face)); });
}

struct Cascade::Proposal {
  Box box;
  float score = 0;
  Regression regression{};

  static std::vector<Proposal> best_of(const Level& level, LevelHits&& found);
};

Cascade::Cascade(const Cpu& cpu)
    : cpu_(cpu), resizer_(cpu), proposer_(std::make_unique<Proposer>(cpu)), judges_(std::make_unique<Judges>(cpu)) {}
Cascade::~Cascade() = default;
Cascade::Cascade(Cascade&&) noexcept = default;
Cascade& Cascade::operator=(Cascade&&) noexcept = default;

View<float> Cascade::input(Shape shape) {
  if (input_.size() < bytes_of(shape)) input_ = Buffer(bytes_of(shape));
  return {input_.as<float>(), shape};
}

LevelHits Cascade::look_at(const Image& image, const Level& level, float threshold, const Networks::Forward& pnet) {
  LevelHits found;
  for (const LevelStrip& strip : strips_of(level, strip_pixels)) {
    const View<float> x = input({1, strip.bottom - strip.top, level.width, 3});
    resizer_.rows(image, level.width, level.height, strip.top, x);
    const ConstView<float> y = pnet(x);
    for (int row = 0; row < y.shape.h; ++row) {
      for (int column = 0; column < y.shape.w; ++column) {
        const float* p = y.pixel(0, row, column);
        if (!(p[1] >= threshold)) continue;
        if (found.hits.empty()) found.mirrored = regression_of(y.pixel(0, row, y.shape.w - 1 - column) + 2);
        found.hits.push_back({column, strip.first_row + row, p[1], {p[2], p[3], p[4], p[5]}});
      }
    }
  }
  return found;
}

// The hits of every level. Only levels that enlarge the picture need the network layer by layer.
std::vector<LevelHits> Cascade::look(const Image& image, std::span<const Level> levels, float threshold,
                                     const Networks& networks, const DetectorWatch& watch) {
  const auto plain = [&](const Level& level) {
    return (networks.scan == nullptr && !networks.look) || level.width > image.width || level.height > image.height;
  };
  const auto first = static_cast<std::size_t>(std::ranges::count_if(levels, plain));
  std::vector<LevelHits> found;
  found.reserve(levels.size());
  for (const Level& level : levels.first(first)) found.push_back(look_at(image, level, threshold, networks.pnet));
  const auto others = levels.subspan(first);
  if (others.empty()) return found;
  if (networks.look) {
    std::ranges::move(networks.look(others, threshold), std::back_inserter(found));
    if (watch) watch({DetectorStage::pnet, others.size(), others.size()});
    return found;
  }
  std::vector<std::vector<PNetHit>> hits =
      proposer_->propose(image, others, threshold, *networks.scan, networks.screen, watch);
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

std::vector<Box> Cascade::propose(const Image& image, const DetectorOptions& options, const Networks& networks,
                                  const DetectorWatch& watch) {
  const std::vector<Level> levels = pyramid_levels(image.width, image.height, options.min_size, options.factor);
  std::vector<LevelHits> hits = look(image, levels, options.thresholds[0], networks, watch);
  std::vector<Proposal> all;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const std::vector<Proposal> found = Proposal::best_of(levels[i], std::move(hits[i]));
    all.insert(all.end(), found.begin(), found.end());
  }
  const std::vector<Proposal> best = keep_best(all, 0.7, Overlap::of_union);
  std::vector<Box> boxes;
  boxes.reserve(best.size());
  for (const Proposal& proposal : best) {
    boxes.push_back(whole_square(regress(proposal.box, proposal.regression, 0)));
  }
  return boxes;
}

std::vector<Box> Cascade::refine(const Image& image, std::span<const Box> boxes, float threshold,
                                 const Networks& networks) {
  std::vector<Box> refined;
  const Trial trial{24,  threshold, networks.rnet,           networks.rnet_guess, Overlap::of_union, false,
                    0.9, 0,         networks.rnet_on_windows};
  for (const Verdict& verdict : judges_->judge(image, boxes, trial)) {
    refined.push_back(whole_square(regress(verdict.box, verdict.regression, 1)));
  }
  return refined;
}

std::vector<Face> Cascade::decide(const Image& image, std::span<const Box> boxes, float threshold,
                                  const Networks& networks) {
  std::vector<Face> faces;
  const Trial trial{48,   threshold, networks.onet, networks.onet_guess,     Overlap::of_smaller,
                    true, 0.7,       0.036,         networks.onet_on_windows};
  for (const Verdict& verdict : judges_->judge(image, boxes, trial)) {
    faces.push_back({regress(verdict.box, verdict.regression, 1), verdict.score, verdict.points});
  }
  put_best_first(faces, image.width, image.height);
  return faces;
}

std::vector<Face> Cascade::run(const Image& image, const DetectorOptions& options, const Networks& networks,
                               const DetectorWatch& watch) {
  validate(options);
  if (image.empty()) fail(ErrorKind::input, "the picture to look for faces in is empty");
  const auto ended = [&](DetectorStage stage, std::size_t looked_at, std::size_t judged) {
    if (watch) watch({stage, looked_at, judged});
  };
  const std::vector<Box> proposed = propose(image, options, networks, watch);
  ended(DetectorStage::proposals, proposed.size(), proposed.size());
  const std::vector<Box> refined = refine(image, proposed, options.thresholds[1], networks);
  ended(DetectorStage::rnet, proposed.size(), judges_->judged());
  std::vector<Face> faces = decide(image, refined, options.thresholds[2], networks);
  ended(DetectorStage::onet, refined.size(), judges_->judged());
  return faces;
}

}  // namespace wajah
