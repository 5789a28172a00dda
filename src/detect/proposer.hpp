// Proposer: P-Net over all levels of a picture by the two kernels made for it, shrink and scan_pnet.
#pragma once

#include <wajah/detect/detector.hpp>
#include <wajah/detect/pyramid.hpp>
#include <wajah/detect/resize.hpp>
#include <wajah/detect/scan_pnet.hpp>
#include <wajah/detect/shrink.hpp>

#include <span>
#include <vector>

namespace wajah {

// Keeps its scratch memory between calls; it is bounded whatever the picture, which goes through in bands.
class Proposer {
 public:
  explicit Proposer(const Cpu& cpu) : cpu_(cpu) {}

  // For each level the places where P-Net's probability of "face" is `threshold` or more, by rows. No level may be
  // larger than the image.
  [[nodiscard]] std::vector<std::vector<PNetHit>> propose(const Image& image, std::span<const Level> levels,
                                                          float threshold, const PNetWeights& weights,
                                                          const PNetScreen* screen, const DetectorWatch& watch);

 private:
  // Rows of a level and where they lie in pixels_.
  struct Piece {
    std::size_t level = 0;
    int first_output = 0, outputs = 0;  // rows of P-Net's output
    ShrinkLevel shrunk;
  };

  void cut(std::span<const Level> levels, Part band);
  void shrink_pieces(const Image& image);
  void scan_pieces(float threshold, const PNetWeights& weights, const PNetScreen* screen);
  template <class T>
  T* reserve(Buffer& buffer, std::size_t count);

  Cpu cpu_;
  std::vector<ResizePlan> plans_;
  std::vector<Piece> pieces_;
  std::vector<ShrinkLevel> shrunk_;
  std::vector<ShrinkWalk> walks_;
  std::vector<PNetStrip> strips_;
  std::vector<std::size_t> level_of_strip_;
  Buffer pixels_, hits_, scratch_;
};

}  // namespace wajah
