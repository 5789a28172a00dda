// Choosing with as few judgements as possible must leave what judging everybody leaves.
#include <wajah/detect/election.hpp>

#include "check.hpp"

#include <algorithm>
#include <random>
#include <vector>

using namespace wajah;

namespace {

// Clusters of boxes around some places, as detectors find them.
struct Contest {
  std::vector<ScoredBox> truth;
  std::vector<Candidate> candidates;  // what is known beforehand

  Contest(int count, double give, double margin, std::mt19937& random) {
    std::uniform_real_distribution<double> place(0, 300), shift(-8, 8), side(20, 60), unit(0, 1);
    Box center{};
    for (int i = 0; i < count; ++i) {
      if (i % 9 == 0) {
        const double x = place(random), y = place(random), s = side(random);
        center = {x, y, x + s, y + s};
      }
      const double dx = shift(random), dy = shift(random);
      const Box box{center.x1 + dx, center.y1 + dy, center.x2 + dx, center.y2 + dy};
      const double score = unit(random);
      truth.push_back({box, static_cast<float>(score)});
      const auto near = [&](double v) { return v + (2 * unit(random) - 1) * give; };
      candidates.push_back({{near(box.x1), near(box.y1), near(box.x2), near(box.y2)},
                            give,
                            static_cast<double>(truth.back().score) + margin * unit(random)});
    }
  }
};

struct Outcome {
  std::vector<std::uint32_t> winners;
  std::size_t judged = 0;
  bool tied = false;
};

Outcome elect(const Contest& contest, Overlap overlap, float threshold) {
  Election election(contest.candidates, 0.7, overlap);
  Outcome outcome;
  for (auto round = election.next(); !round.empty(); round = election.next()) {
    for (const std::uint32_t i : round) {
      ++outcome.judged;
      const ScoredBox& truth = contest.truth[i];
      if (truth.score > threshold) {
        election.judge(i, truth.box, truth.score);
      } else {
        election.dismiss(i);
      }
    }
  }
  outcome.winners.assign(election.winners().begin(), election.winners().end());
  std::ranges::sort(outcome.winners);
  outcome.tied = election.tied();
  return outcome;
}

std::vector<std::uint32_t> suppressed(const Contest& contest, Overlap overlap, float threshold) {
  std::vector<ScoredBox> passed;
  std::vector<std::uint32_t> index, left;
  for (std::uint32_t i = 0; i < contest.truth.size(); ++i) {
    if (contest.truth[i].score <= threshold) continue;
    passed.push_back(contest.truth[i]);
    index.push_back(i);
  }
  for (const std::uint32_t i : suppress(passed, 0.7, overlap)) left.push_back(index[i]);
  std::ranges::sort(left);
  return left;
}

}  // namespace

TEST_CASE("an election leaves whom suppression leaves, and judges fewer") {
  std::mt19937 random(5);
  std::size_t judged = 0, all = 0;
  for (int i = 0; i < 400; ++i) {
    CAPTURE(i);
    const int count = i % 7 == 0 ? i % 3 : 20 + i % 150;
    const double give = i % 2 == 0 ? 0 : 0.5 * (i % 5), margin = 0.05 * (i % 6);
    const Contest contest(count, give, margin, random);
    const auto overlap = i % 3 == 0 ? Overlap::of_union : Overlap::of_smaller;
    const float threshold = static_cast<float>(i % 4) / 5;
    const Outcome outcome = elect(contest, overlap, threshold);
    CHECK_FALSE(outcome.tied);
    CHECK(outcome.winners == suppressed(contest, overlap, threshold));
    judged += outcome.judged;
    all += contest.truth.size();
  }
  CHECK(judged < all * 2 / 3);
}

TEST_CASE("with nothing known but the truth only the winners are judged") {
  std::mt19937 random(6);
  const Contest contest(200, 0, 0, random);
  const Outcome outcome = elect(contest, Overlap::of_union, -1);
  CHECK(outcome.judged == outcome.winners.size());
}

TEST_CASE("an election says when equal scores decide") {
  const Box box{0, 0, 20, 20}, beside{1, 0, 21, 20}, far{100, 100, 120, 120};
  Contest contest(0, 0, 0, *std::make_unique<std::mt19937>(1));
  for (const Box& b : {box, beside, far}) {
    contest.truth.push_back({b, 0.5F});
    contest.candidates.push_back({b, 0, 0.6});
  }
  CHECK(elect(contest, Overlap::of_union, 0).tied);
  contest.truth[1].score = 0.4F;
  CHECK_FALSE(elect(contest, Overlap::of_union, 0).tied);
  CHECK(elect(contest, Overlap::of_union, 0).winners == std::vector<std::uint32_t>{0, 2});
}
