// Election: non-maximum suppression over boxes whose scores are not known yet, only how high each can be. It asks for
// the judgement of as few boxes as it can: one that a better box covers for certain need never be judged.
#pragma once

#include <wajah/detect/nms.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace wajah {

struct Candidate {
  Box box;
  double give = 0;  // pixels by which each side of the box may lie elsewhere
  double most = 0;  // the score is at most this
};

// The winners are those that suppress() keeps, were all judged.
class Election {
 public:
  Election(std::vector<Candidate> candidates, double threshold, Overlap overlap);

  // The candidates that must be judged next, none of which depends on another's judgement; empty: all is decided.
  [[nodiscard]] std::span<const std::uint32_t> next();

  // What a candidate's box and score really are, not above `most`. One that is no candidate any more is dismissed.
  void judge(std::uint32_t i, const Box& box, float score);
  void dismiss(std::uint32_t i) { state_[i] = State::out; }

  // When next() has given nothing: who is left.
  [[nodiscard]] std::span<const std::uint32_t> winners() const { return winners_; }
  // Whether one covers another of the same score: suppress() then chooses by the order in which numpy sorts all scores.
  [[nodiscard]] bool tied() const { return tied_; }

 private:
  enum class State : std::uint8_t { unknown, judged, out };
  enum class Fate : std::uint8_t { out, waits, wins, asked };

  [[nodiscard]] bool covers(std::uint32_t i, std::uint32_t j) const;
  [[nodiscard]] bool may_cover(std::uint32_t i, std::uint32_t j) const;
  Fate fate_of(std::uint32_t i);
  void sort(std::vector<std::uint32_t>& indices) const;

  std::vector<Candidate> candidates_;
  std::vector<State> state_;
  double threshold_;
  Overlap overlap_;
  bool tied_ = false;
  std::vector<std::uint32_t> alive_, undecided_, asked_, winners_;
};

}  // namespace wajah
