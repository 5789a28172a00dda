// How well scores tell pairs of one person from pairs of two: the figures face verification is reported in.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace wajah {

struct ScoredPair {
  float score = 0;  // larger: more alike
  bool same = false;
};

// Accepting from `threshold` on (score >= threshold) answers this share of the pairs rightly.
struct ThresholdAccuracy {
  double threshold = 0, accuracy = 0;
};

// The threshold that answers most pairs rightly; of equals the lowest. It lies halfway between two neighbouring scores,
// or is the smallest score (all are accepted) or just above the largest (none is). Needs at least one pair and finite
// scores; throws Error (input) otherwise, as everything here.
[[nodiscard]] ThresholdAccuracy best_threshold(std::span<const ScoredPair> pairs);

struct FoldAccuracy {
  double mean = 0, deviation = 0;  // over the folds; the deviation is that of the sample, n - 1
};

// LFW's protocol (Huang et al. 2007): each fold is answered with the best threshold of all others. Fold f is the f-th
// part of the same pairs and the f-th part of the different ones, in the order given, which for LFW's own pairs.txt are
// its ten sets. Needs 2 folds or more and at least one pair of either kind in each.
[[nodiscard]] FoldAccuracy fold_accuracy(std::span<const ScoredPair> pairs, std::size_t folds = 10);

// Area under the ROC curve: the probability that a same pair scores above a different one, equal scores counting half
// (Mann and Whitney 1947). Needs a pair of either kind.
[[nodiscard]] double roc_area(std::span<const ScoredPair> pairs);

// The largest share of same pairs that some threshold accepts while it accepts at most `far` (0 to 1) of the different
// ones. Needs a pair of either kind.
[[nodiscard]] double true_accepts_at(std::span<const ScoredPair> pairs, double far);

// Shares of the different and of the same pairs that are accepted from a threshold on.
struct OperatingPoint {
  double threshold = 0, false_accepts = 0, true_accepts = 0;
};

// The ROC curve: a point for every score that occurs, from the largest down, so that both shares rise to 1. Needs a pair
// of either kind.
[[nodiscard]] std::vector<OperatingPoint> roc_curve(std::span<const ScoredPair> pairs);

}  // namespace wajah
