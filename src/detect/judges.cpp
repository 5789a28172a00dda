// The best of a cluster of boxes is all that is left of it, so most boxes are judged in vain: of 340 crops of a group
// photo that reach O-Net 45 are left. Guesses tell which those may be: each box gets a score that it cannot exceed, the
// highest is judged by the network itself, and what it covers never is. Every number that counts is the network's own.
//
// "Cannot exceed" is a margin, ten times the root mean square of the guesses' errors over LFW and twice the largest
// seen. Each judgement is compared with its guess, and where half of the margin is used up nothing is left to guesses.
#include "judges.hpp"

#include <wajah/detect/election.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <iterator>
#include <numeric>
#include <tuple>

namespace wajah {

namespace {

constexpr std::size_t crops_at_once = 8;  // that go through R- or O-Net
constexpr double most_overlap = 0.7;
constexpr double farthest = 1 << 20;               // no box of a real face lies a million pixels outside
constexpr std::size_t fewest = 8, most = 1 << 13;  // boxes that an election pays for, whose time grows as their square

// Weights that are no MTCNN can regress a box to anything, not-a-number included; no crop can be made of those.
bool has_pixels(const Box& box) {
  const auto near = [](double v) { return std::abs(v) <= farthest; };
  return near(box.x1) && near(box.y1) && near(box.x2) && near(box.y2) && box.width() >= 0 && box.height() >= 0;
}

bool is_finite(const Box& box) {
  return std::isfinite(box.x1) && std::isfinite(box.y1) && std::isfinite(box.x2) && std::isfinite(box.y2);
}

bool is_finite(const CropGuess& guess) {
  return std::isfinite(guess.difference) &&
         std::ranges::all_of(guess.regression, [](float v) { return std::isfinite(v); });
}

Regression regression_of(const float* p) { return {p[0], p[1], p[2], p[3]}; }

CropWindow window_of(const Box& box) {
  return {static_cast<int>(box.x1) - 1, static_cast<int>(box.y1) - 1, static_cast<int>(box.width()) + 1,
          static_cast<int>(box.height()) + 1};
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

double side_of(const Box& box) { return std::max(box.width(), box.height()) + 1; }

// What a softmax in float32 can make of this difference of the logits at most.
double highest_score(double difference) {
  constexpr double rounding = 1e-6;
  return 1 / (1 + std::exp(-difference)) + rounding;
}

Box rival_of(const Box& box, const Regression& regression, const Trial& trial) {
  return trial.regressed ? regress(box, regression, 1) : box;
}

auto corners_of(const Box& box) { return std::tuple(box.x1, box.y1, box.x2, box.y2); }

// Down the picture, so that what crops have in common stays in cache.
std::vector<std::uint32_t> by_place(std::span<const Box> boxes) {
  std::vector<std::uint32_t> order(boxes.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, {}, [&](std::uint32_t i) { return std::tuple(boxes[i].y1, boxes[i].x1, i); });
  return order;
}

// Boxes of whole pixels often coincide, and whatever is said of one is said of all.
struct Different {
  std::vector<Box> boxes;
  std::vector<std::uint32_t> place;  // in them, of each of all

  explicit Different(std::span<const Box> all) : place(all.size()) {
    std::vector<std::uint32_t> order(all.size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::sort(order, {}, [&](std::uint32_t i) { return std::pair(corners_of(all[i]), i); });
    boxes.reserve(all.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i == 0 || all[order[i]] != all[order[i - 1]]) boxes.push_back(all[order[i]]);
      place[order[i]] = static_cast<std::uint32_t>(boxes.size() - 1);
    }
  }
};

// Whether a guess was so far from the verdict that the margins may not hold elsewhere.
bool is_far(const CropGuess& guess, const Verdict& verdict, const Trial& trial) {
  const double difference = static_cast<double>(guess.difference) + trial.score_margin / 2;
  if (static_cast<double>(verdict.score) > highest_score(difference)) return true;
  for (std::size_t i = 0; trial.regressed && i < 4; ++i) {
    const double error = static_cast<double>(guess.regression[i]) - static_cast<double>(verdict.regression[i]);
    if (!(std::abs(error) <= trial.box_margin / 2)) return true;
  }
  return false;
}

}  // namespace

Box regress(const Box& box, const Regression& by, int extra) {
  const double width = box.width() + extra, height = box.height() + extra;
  return {box.x1 + static_cast<double>(by[0]) * width, box.y1 + static_cast<double>(by[1]) * height,
          box.x2 + static_cast<double>(by[2]) * width, box.y2 + static_cast<double>(by[3]) * height};
}

Judges::Judges(const Cpu& cpu) : cpu_(cpu) {
  const Cpu alone(1, cpu.isa());
  for (int i = 0; i < cpu.threads(); ++i) workers_.push_back({AreaResizer(alone)});
}

std::span<const CropWindow> Judges::Worker::place(std::span<const Box> boxes, std::span<const std::uint32_t> batch) {
  windows.clear();
  for (const std::uint32_t i : batch) windows.push_back(window_of(boxes[i]));
  return windows;
}

View<float> Judges::Worker::cut(const Image& image, std::span<const Box> boxes, std::span<const std::uint32_t> batch,
                                int side) {
  const Shape shape{static_cast<int>(batch.size()), side, side, 3};
  if (input.size() < bytes_of(shape)) input = Buffer(bytes_of(shape));
  const View<float> x(input.as<float>(), shape);
  resizer.crops(image, place(boxes, batch), x);
  return x;
}

// Each thread takes the next batch through the whole network by itself: its maps stay in its own cache, and nobody
// waits before the end. work(number of the worker, first, count).
void Judges::in_batches(std::size_t count, std::size_t most_at_once, std::size_t workers, const auto& work) {
  const std::size_t each = (count + workers - 1) / workers, batch = std::clamp<std::size_t>(each, 1, most_at_once);
  std::vector<std::exception_ptr> failures(workers_.size());
  std::atomic<std::size_t> next = 0;
  const auto share = [&](Part part) {
    const auto i = static_cast<std::size_t>(part.index);
    if (i >= workers) return;
    try {
      for (std::size_t first; (first = next.fetch_add(batch)) < count;) {
        work(i, first, std::min(batch, count - first));
      }
    } catch (...) {
      failures[i] = std::current_exception();
    }
  };
  cpu_.run(
      +[](const decltype(share)& call, Part part) { call(part); }, share);
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

std::vector<Verdict> Judges::verdicts_on(const Image& image, std::span<const Box> boxes, const Trial& trial) {
  const std::vector<std::uint32_t> order = by_place(boxes);
  std::vector<Verdict> verdicts(boxes.size());
  judged_ += boxes.size();
  const auto note = [&](std::span<const std::uint32_t> batch, ConstView<float> y) {
    for (std::size_t k = 0; k < batch.size(); ++k) {
      const float* p = y.pixel(static_cast<int>(k), 0, 0);
      const Box& box = boxes[batch[k]];
      verdicts[batch[k]] = {box, p[1], regression_of(p + 2), {}};
      if (y.shape.c > 6) verdicts[batch[k]].points = landmarks_of(box, p + 6);
    }
  };
  if (trial.on_windows) {
    note(order, trial.on_windows(workers_.front().place(boxes, order)));
    return verdicts;
  }
  in_batches(boxes.size(), crops_at_once, trial.networks.size(), [&](std::size_t i, std::size_t first, std::size_t n) {
    const auto batch = std::span(order).subspan(first, n);
    note(batch, trial.networks[i](workers_[i].cut(image, boxes, batch, trial.side)));
  });
  return verdicts;
}

std::vector<CropGuess> Judges::guesses_on(const Image& image, std::span<const Box> boxes, const Trial& trial) {
  const std::vector<std::uint32_t> order = by_place(boxes);
  std::vector<CropGuess> guesses(boxes.size());
  in_batches(boxes.size(), crops_per_guess, trial.guesses.size(), [&](std::size_t i, std::size_t first, std::size_t n) {
    const auto batch = std::span(order).subspan(first, n);
    std::array<CropGuess, crops_per_guess> said;
    trial.guesses[i](image, workers_[i].place(boxes, batch), said.data());
    for (std::size_t k = 0; k < n; ++k) guesses[batch[k]] = said[k];
  });
  return guesses;
}

// `place`: where among the boxes those lie that take part, in their order.
std::vector<Verdict> Judges::judge_all(const Image& image, std::span<const Box> boxes,
                                       std::span<const std::uint32_t> place, const Trial& trial) {
  std::vector<Box> asked;
  std::vector<std::size_t> places;
  asked.reserve(boxes.size());
  places.reserve(boxes.size());
  known_.resize(boxes.size());
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    if (known_[i]) continue;
    asked.push_back(boxes[i]);
    places.push_back(i);
  }
  const std::vector<Verdict> answers = verdicts_on(image, asked, trial);
  for (std::size_t k = 0; k < places.size(); ++k) known_[places[k]] = answers[k];
  std::vector<Verdict> verdicts, left;
  std::vector<ScoredBox> rivals;
  for (const std::uint32_t i : place) {
    const Verdict& verdict = *known_[i];
    const Box rival = rival_of(verdict.box, verdict.regression, trial);
    if (!(verdict.score > trial.threshold) || !is_finite(rival)) continue;
    verdicts.push_back(verdict);
    rivals.push_back({rival, verdict.score});
  }
  for (const std::uint32_t i : suppress(rivals, most_overlap, trial.overlap)) left.push_back(verdicts[i]);
  return left;
}

// Nothing if the guesses cannot be trusted.
std::optional<std::vector<Verdict>> Judges::judge_few(const Image& image, std::span<const Box> boxes,
                                                      const Trial& trial) {
  const std::vector<CropGuess> guesses = guesses_on(image, boxes, trial);
  if (!std::ranges::all_of(guesses, [](const CropGuess& guess) { return is_finite(guess); })) return std::nullopt;
  std::vector<std::uint32_t> box_of;
  std::vector<Candidate> candidates;
  for (std::uint32_t i = 0; i < boxes.size(); ++i) {
    const double highest = highest_score(static_cast<double>(guesses[i].difference) + trial.score_margin);
    if (highest <= static_cast<double>(trial.threshold)) continue;
    const double give = trial.regressed ? trial.box_margin * side_of(boxes[i]) : 0;
    candidates.push_back({rival_of(boxes[i], regression_of(guesses[i].regression), trial), give, highest});
    box_of.push_back(i);
  }

  Election election(std::move(candidates), most_overlap, trial.overlap);
  std::vector<Box> asked;
  known_.resize(boxes.size());
  for (auto round = election.next(); !round.empty(); round = election.next()) {
    asked.clear();
    for (const std::uint32_t i : round) asked.push_back(boxes[box_of[i]]);
    const std::vector<Verdict> answers = verdicts_on(image, asked, trial);
    for (std::size_t k = 0; k < round.size(); ++k) {
      const Verdict& verdict = answers[k];
      known_[box_of[round[k]]] = verdict;
      if (is_far(guesses[box_of[round[k]]], verdict, trial)) return std::nullopt;
      const Box rival = rival_of(verdict.box, verdict.regression, trial);
      if (verdict.score > trial.threshold && is_finite(rival)) {
        election.judge(round[k], rival, verdict.score);
      } else {
        election.dismiss(round[k]);
      }
    }
  }
  if (election.tied()) return std::nullopt;
  std::vector<Verdict> left;
  for (const std::uint32_t i : election.winners()) left.push_back(*known_[box_of[i]]);
  return left;
}

std::vector<Verdict> Judges::judge(const Image& image, std::span<const Box> boxes, const Trial& trial) {
  judged_ = 0;
  known_.clear();
  std::vector<Box> usable;
  usable.reserve(boxes.size());
  std::ranges::copy_if(boxes, std::back_inserter(usable), has_pixels);
  const Different different(usable);
  std::optional<std::vector<Verdict>> left;
  if (!trial.guesses.empty() && different.boxes.size() >= fewest && different.boxes.size() <= most) {
    left = judge_few(image, different.boxes, trial);
  }
  if (!left) left = judge_all(image, different.boxes, different.place, trial);
  std::ranges::sort(*left, {}, [](const Verdict& v) { return std::pair(-v.score, corners_of(v.box)); });
  return *std::move(left);
}

}  // namespace wajah
