// Judges: R- and O-Net over crops of a picture, and which boxes are left after their judgement.
#pragma once

#include <wajah/detect/cascade.hpp>
#include <wajah/detect/nms.hpp>

#include <optional>

namespace wajah {

using Regression = std::array<float, 4>;

// The original counts a box as x2 - x1 wide in its first stage and x2 - x1 + 1 in the others.
[[nodiscard]] Box regress(const Box& box, const Regression& by, int extra);

struct Verdict {
  Box box;  // what was cut out
  float score = 0;
  Regression regression{};
  Landmarks points{};
};

// A round of judgement. Of rivals that cover each other the best is left: the boxes themselves, or the regressed ones.
struct Trial {
  int side;  // of the crops
  float threshold;
  std::span<const Networks::Forward> networks;
  std::span<const Networks::Guess> guesses;  // empty, or as many as networks
  Overlap overlap;
  bool regressed;
  double score_margin, box_margin;        // by how much guesses may be wrong: in logits, and in sides of the box
  const Networks::OnWindows& on_windows;  // if any, instead of the networks
};

// Scratch memory of one caller, bounded whatever the boxes: crops go through in batches.
class Judges {
 public:
  explicit Judges(const Cpu& cpu);

  // Boxes whose score exceeds the threshold and that no better one covers by more than 0.7, best first, equal scores
  // from left to right. Guesses do not change the result, only how many boxes the network itself must see.
  [[nodiscard]] std::vector<Verdict> judge(const Image& image, std::span<const Box> boxes, const Trial& trial);

  // How many crops the network itself has judged in the last trial.
  [[nodiscard]] std::size_t judged() const { return judged_; }

 private:
  struct Worker {
    AreaResizer resizer;
    Buffer input{};
    std::vector<CropWindow> windows{};

    std::span<const CropWindow> place(std::span<const Box> boxes, std::span<const std::uint32_t> batch);
    View<float> cut(const Image& image, std::span<const Box> boxes, std::span<const std::uint32_t> batch, int side);
  };

  void in_batches(std::size_t count, std::size_t most, std::size_t workers, const auto& work);
  std::vector<Verdict> verdicts_on(const Image& image, std::span<const Box> boxes, const Trial& trial);
  std::vector<CropGuess> guesses_on(const Image& image, std::span<const Box> boxes, const Trial& trial);
  std::vector<Verdict> judge_all(const Image& image, std::span<const Box> boxes, std::span<const std::uint32_t> place,
                                 const Trial& trial);
  std::optional<std::vector<Verdict>> judge_few(const Image& image, std::span<const Box> boxes, const Trial& trial);

  Cpu cpu_;
  std::vector<Worker> workers_;                // one a thread
  std::vector<std::optional<Verdict>> known_;  // of the boxes of this trial
  std::size_t judged_ = 0;
};

}  // namespace wajah
