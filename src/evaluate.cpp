#include <wajah/error.hpp>
#include <wajah/evaluate.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

namespace wajah {
namespace {

struct Counts {
  std::size_t same = 0, different = 0;
};

Counts count(std::span<const ScoredPair> pairs) {
  Counts counts;
  for (const ScoredPair& pair : pairs) ++(pair.same ? counts.same : counts.different);
  return counts;
}

void require_finite(std::span<const ScoredPair> pairs) {
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (!std::isfinite(pairs[i].score)) fail(ErrorKind::input, "pair {}: its score is not finite", i);
  }
}

void require_both(const Counts& counts) {
  if (counts.same == 0 || counts.different == 0) {
    fail(ErrorKind::input, "{} same and {} different pairs, at least one of either kind is needed", counts.same,
         counts.different);
  }
}

// The pairs that share one score.
struct Level {
  float score = 0;
  Counts counts;
};

// From the largest score down.
std::vector<Level> levels_of(std::span<const ScoredPair> pairs) {
  std::vector<ScoredPair> sorted(pairs.begin(), pairs.end());
  std::ranges::sort(sorted, std::greater<>{}, &ScoredPair::score);
  std::vector<Level> levels;
  for (const ScoredPair& pair : sorted) {
    if (levels.empty() || levels.back().score != pair.score) levels.push_back({pair.score, {}});
    ++(pair.same ? levels.back().counts.same : levels.back().counts.different);
  }
  return levels;
}

// The threshold that accepts the first `accepted` levels and no other.
double threshold_after(std::span<const Level> levels, std::size_t accepted) {
  const auto score = [&](std::size_t i) { return static_cast<double>(levels[i].score); };
  if (accepted == 0) return std::nextafter(score(0), std::numeric_limits<double>::infinity());
  if (accepted == levels.size()) return score(accepted - 1);
  return (score(accepted - 1) + score(accepted)) / 2;
}

double accuracy_of(std::span<const ScoredPair> pairs, double threshold) {
  const auto right = std::ranges::count_if(
      pairs, [&](const ScoredPair& pair) { return (static_cast<double>(pair.score) >= threshold) == pair.same; });
  return static_cast<double>(right) / static_cast<double>(pairs.size());
}

}  // namespace

ThresholdAccuracy best_threshold(std::span<const ScoredPair> pairs) {
  if (pairs.empty()) fail(ErrorKind::input, "no pairs to choose a threshold from");
  require_finite(pairs);
  const std::vector<Level> levels = levels_of(pairs);
  std::size_t right = count(pairs).different;  // of the answers when nothing is accepted
  std::size_t most = right, accepted = 0;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    right = right + levels[i].counts.same - levels[i].counts.different;
    if (right >= most) {
      most = right;
      accepted = i + 1;
    }
  }
  return {threshold_after(levels, accepted), static_cast<double>(most) / static_cast<double>(pairs.size())};
}

FoldAccuracy fold_accuracy(std::span<const ScoredPair> pairs, std::size_t folds) {
  const Counts counts = count(pairs);
  if (folds < 2 || counts.same < folds || counts.different < folds) {
    fail(ErrorKind::input, "{} pairs of one person and {} of two: expected {} of each at least", counts.same,
         counts.different, std::max<std::size_t>(folds, 2));
  }
  std::vector<std::vector<ScoredPair>> parts(folds);
  Counts seen;
  for (const ScoredPair& pair : pairs) {
    const std::size_t index = pair.same ? seen.same++ : seen.different++;
    parts[index * folds / (pair.same ? counts.same : counts.different)].push_back(pair);
  }
  std::vector<double> accuracies;
  for (const auto& held_out : parts) {
    std::vector<ScoredPair> others;
    for (const auto& part : parts) {
      if (&part != &held_out) others.insert(others.end(), part.begin(), part.end());
    }
    accuracies.push_back(accuracy_of(held_out, best_threshold(others).threshold));
  }
  FoldAccuracy result;
  for (const double accuracy : accuracies) result.mean += accuracy / static_cast<double>(folds);
  for (const double accuracy : accuracies) result.deviation += (accuracy - result.mean) * (accuracy - result.mean);
  result.deviation = std::sqrt(result.deviation / static_cast<double>(folds - 1));
  return result;
}

double roc_area(std::span<const ScoredPair> pairs) {
  require_finite(pairs);
  const Counts counts = count(pairs);
  require_both(counts);
  double area = 0;  // in units of (same pair, different pair)
  std::size_t different_above = 0;
  for (const auto& [score, here] : levels_of(pairs)) {
    const std::size_t below = counts.different - different_above - here.different;
    area += static_cast<double>(here.same) * (static_cast<double>(below) + 0.5 * static_cast<double>(here.different));
    different_above += here.different;
  }
  return area / (static_cast<double>(counts.same) * static_cast<double>(counts.different));
}

double true_accepts_at(std::span<const ScoredPair> pairs, double far) {
  require_finite(pairs);
  const Counts counts = count(pairs);
  require_both(counts);
  if (!(far >= 0 && far <= 1)) fail(ErrorKind::input, "false accept rate {}: expected 0 to 1", far);
  // 0.1 of 30 must allow 3 although 0.1 * 30 is a little more or less in binary.
  const auto allowed = static_cast<std::size_t>(std::floor(far * static_cast<double>(counts.different) + 1e-9));
  std::size_t same_accepted = 0, different_accepted = 0, best = 0;
  for (const auto& [score, here] : levels_of(pairs)) {
    same_accepted += here.same;
    different_accepted += here.different;
    if (different_accepted <= allowed) best = same_accepted;
  }
  return static_cast<double>(best) / static_cast<double>(counts.same);
}

std::vector<OperatingPoint> roc_curve(std::span<const ScoredPair> pairs) {
  require_finite(pairs);
  const Counts counts = count(pairs);
  require_both(counts);
  std::vector<OperatingPoint> curve;
  Counts accepted;
  for (const auto& [score, here] : levels_of(pairs)) {
    accepted.same += here.same;
    accepted.different += here.different;
    curve.push_back({static_cast<double>(score),
                     static_cast<double>(accepted.different) / static_cast<double>(counts.different),
                     static_cast<double>(accepted.same) / static_cast<double>(counts.same)});
  }
  return curve;
}

}  // namespace wajah
