// Cascade: the three stages of MTCNN (Zhang et al. 2016) around three networks it is handed, step by step as
// davidsandberg/facenet's detect_face.py has them.
#pragma once

#include <wajah/cpu.hpp>
#include <wajah/detect/box.hpp>
#include <wajah/detect/detector.hpp>
#include <wajah/detect/guess_crops.hpp>
#include <wajah/detect/pyramid.hpp>
#include <wajah/detect/resize.hpp>
#include <wajah/detect/scan_pnet.hpp>
#include <wajah/image.hpp>

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace wajah {

// What P-Net found on one level, and what it regresses at the place opposite to the only hit, left to right.
struct LevelHits {
  std::vector<PNetHit> hits;
  std::array<float, 4> mirrored{};
};

// y = network(x), valid until that network is called again. x is (n, h, w, 3), (byte - 127.5) * 0.0078125.
// pnet gives (1, h', w', 6): probabilities of "no face" and "face", then the regression of a box's corners; rnet on
// 24x24 crops (n, 1, 1, 6), the same; onet on 48x48 crops (n, 1, 1, 16), the same and five landmarks, x1 to x5 and y1
// to y5. Of rnet and onet there are as many as threads may work at once: each is called by one thread at a time.
// scan, if any, holds pnet's own weights: P-Net is then done by the kernel made for it, with the same result.
// screen, if any, tells it where not to look.
// look, if any, finds the hits of several levels of the picture, none of which enlarges it, in whatever order; and
// rnet_on_windows and onet_on_windows, if any, cut crops out of it and judge them, instead of rnet and onet.
// rnet_guess and onet_guess, as many as rnet and onet or none, tell nearly what those will say of crops.
struct Networks {
  using Forward = std::function<ConstView<float>(ConstView<float>)>;
  using Look = std::function<std::vector<LevelHits>(std::span<const Level>, float threshold)>;
  using OnWindows = std::function<ConstView<float>(std::span<const CropWindow>)>;
  using Guess = std::function<void(const Image&, std::span<const CropWindow>, CropGuess*)>;
  Forward pnet;
  std::vector<Forward> rnet, onet;
  const PNetWeights* scan = nullptr;
  const PNetScreen* screen = nullptr;
  std::vector<Guess> rnet_guess{}, onet_guess{};
  Look look{};
  OnWindows rnet_on_windows{}, onet_on_windows{};
};

// The order in which a detector gives faces of a picture of this size: best first. Of equal scores, which it leaves as
// they are where this says nothing, the one farther from the middle comes first.
void put_best_first(std::vector<Face>& faces, int width, int height);

class Proposer;
class Judges;

// The cascade of one caller; keeps its scratch memory, which is bounded whatever the picture: large levels go through
// P-Net in strips, crops through R- and O-Net in batches.
class Cascade {
 public:
  explicit Cascade(const Cpu& cpu);
  ~Cascade();
  Cascade(Cascade&&) noexcept;
  Cascade& operator=(Cascade&&) noexcept;

  // As Detector::detect.
  [[nodiscard]] std::vector<Face> run(const Image& image, const DetectorOptions& options, const Networks& networks,
                                      const DetectorWatch& watch = {});

 private:
  struct Proposal;

  std::vector<Box> propose(const Image& image, const DetectorOptions& options, const Networks& networks,
                           const DetectorWatch& watch);
  std::vector<LevelHits> look(const Image& image, std::span<const Level> levels, float threshold,
                              const Networks& networks, const DetectorWatch& watch);
  LevelHits look_at(const Image& image, const Level& level, float threshold, const Networks::Forward& pnet);
  std::array<float, 4> mirrored(const Image& image, const Level& level, const PNetHit& hit,
                                const Networks::Forward& pnet);
  std::vector<Box> refine(const Image& image, std::span<const Box> boxes, float threshold, const Networks& networks);
  std::vector<Face> decide(const Image& image, std::span<const Box> boxes, float threshold, const Networks& networks);
  View<float> input(Shape shape);

  Cpu cpu_;
  AreaResizer resizer_;
  std::unique_ptr<Proposer> proposer_;
  std::unique_ptr<Judges> judges_;
  Buffer input_;
};

}  // namespace wajah
