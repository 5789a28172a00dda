#include <wajah/detect/election.hpp>

#include "overlap.hpp"

#include <numeric>
#include <tuple>

namespace wajah {

namespace {

Box grown(const Box& box, double by) { return {box.x1 - by, box.y1 - by, box.x2 + by, box.y2 + by}; }

bool apart(const Box& a, const Box& b, double give) {
  return a.x2 + give + 1 < b.x1 || b.x2 + give + 1 < a.x1 || a.y2 + give + 1 < b.y1 || b.y2 + give + 1 < a.y1;
}

}  // namespace

Election::Election(std::vector<Candidate> candidates, double threshold, Overlap overlap)
    : candidates_(std::move(candidates)),
      state_(candidates_.size(), State::unknown),
      threshold_(threshold),
      overlap_(overlap),
      alive_(candidates_.size()) {
  std::iota(alive_.begin(), alive_.end(), 0U);
}

void Election::judge(std::uint32_t i, const Box& box, float score) {
  candidates_[i] = {box, 0, static_cast<double>(score)};
  state_[i] = State::judged;
}

// For certain, wherever the sides lie.
bool Election::covers(std::uint32_t i, std::uint32_t j) const {
  const Candidate &a = candidates_[i], &b = candidates_[j];
  if (apart(a.box, b.box, 0)) return false;
  if (a.give == 0 && b.give == 0) return overlap_of(a.box, b.box, overlap_) > threshold_;
  const double common = common_area(grown(a.box, -a.give), grown(b.box, -b.give));
  const double first = area_of(grown(a.box, a.give)), second = area_of(grown(b.box, b.give));
  return common / (overlap_ == Overlap::of_smaller ? std::min(first, second) : first + second - common) > threshold_;
}

bool Election::may_cover(std::uint32_t i, std::uint32_t j) const {
  const Candidate &a = candidates_[i], &b = candidates_[j];
  if (apart(a.box, b.box, a.give + b.give)) return false;
  if (a.give == 0 && b.give == 0) return overlap_of(a.box, b.box, overlap_) > threshold_;
  const double common = common_area(grown(a.box, a.give), grown(b.box, b.give));
  const double first = area_of(grown(a.box, -a.give)), second = area_of(grown(b.box, -b.give));
  const double whole = overlap_ == Overlap::of_smaller ? std::min(first, second) : first + second - common;
  return !(common <= threshold_ * whole);
}

// Best possible score first; of equal ones those that are not judged, which may turn out lower.
void Election::sort(std::vector<std::uint32_t>& indices) const {
  std::ranges::sort(
      indices, {}, [this](std::uint32_t i) { return std::tuple(-candidates_[i].most, state_[i] == State::judged, i); });
}

// Of a candidate, when all that may be better have had theirs.
Election::Fate Election::fate_of(std::uint32_t i) {
  for (const std::uint32_t winner : winners_) {
    if (!covers(winner, i)) continue;
    if (state_[i] == State::judged && candidates_[i].most == candidates_[winner].most) tied_ = true;
    return Fate::out;
  }
  for (const std::uint32_t other : undecided_) {
    if (may_cover(other, i)) return Fate::waits;
  }
  return state_[i] == State::unknown ? Fate::asked : Fate::wins;
}

std::span<const std::uint32_t> Election::next() {
  sort(alive_);
  undecided_.clear();
  asked_.clear();
  std::size_t left = 0;
  for (const std::uint32_t i : alive_) {
    if (state_[i] == State::out) continue;
    switch (fate_of(i)) {
      case Fate::out: state_[i] = State::out; continue;
      case Fate::wins: winners_.push_back(i); continue;
      case Fate::asked: asked_.push_back(i); break;
      case Fate::waits: break;
    }
    undecided_.push_back(i);
    alive_[left++] = i;
  }
  alive_.resize(left);
  return asked_;
}

}  // namespace wajah
