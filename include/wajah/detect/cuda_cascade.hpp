// CudaCascade: the cascade's lists of boxes on a card, and what leads from one network's word to the next one's crops
// (card_boxes.hpp). Only how many boxes there are comes down between the stages, and the faces at the end.
#pragma once

#include <wajah/buffer.hpp>
#include <wajah/detect/card_boxes.hpp>
#include <wajah/detect/detector.hpp>
#include <wajah/detect/nms.hpp>
#include <wajah/detect/pyramid.hpp>

#include <algorithm>
#include <span>
#include <tuple>
#include <vector>

namespace wajah {

// What the host learns of the lists.
struct CascadeNumbers {
  int found = 0;   // places where P-Net sees a face, of which there may be more than room
  int failed = 0;  // not 0: the card cannot tell which boxes are left
  int rnet = 0, rnet_judged = 0, onet = 0, onet_judged = 0;  // crops
  int faces = 0;
};

// All but read() only launch.
template <class Device>
class CudaCascade {
 public:
  // room: for places where P-Net sees a face, 1 to most_nms_boxes. Throws what the device throws.
  CudaCascade(const Device& device, int room)
      : device_(device),
        room_(room),
        numbers_(make<CascadeNumbers>(1)),
        places_(make<PNetPlace>()),
        of_level_(make<int>(most_levels)),
        opposites_(make<float>(std::size_t{4} * most_levels)),
        hits_(make<ScoredCardBox>()),
        rivals_(make<ScoredCardBox>()),
        hit_sources_(make<int>()),
        sources_(make<int>()),
        order_(make<int>()),
        kept_(make<int>()),
        starts_(make<int>(most_levels + 1)),
        rival_starts_(make<int>(2)),
        counts_(make<int>(most_levels)),
        covers_(make<std::uint64_t>(nms_covers(room))),
        faces_(make<CardFace>()),
        rnet_(list(6, &numbers_->rnet, &numbers_->rnet_judged)),
        onet_(list(16, &numbers_->onet, &numbers_->onet_judged)) {}

  [[nodiscard]] int room() const { return room_; }
  [[nodiscard]] PNetFinds finds() const { return {&numbers_->found, of_level_, places_, room_, opposites_}; }
  [[nodiscard]] const CropList& rnet() const { return rnet_; }
  [[nodiscard]] const CropList& onet() const { return onet_; }

  // From P-Net's places, which lie on these levels, to R-Net's crops.
  void propose(std::span<const Level> levels) const {
    const int count = static_cast<int>(levels.size());
    GatherHitsArgs gather{finds(), count, {}, hits_, hit_sources_, starts_, &numbers_->failed};
    for (std::size_t i = 0; i < levels.size(); ++i) gather.scales[i] = levels[i].scale;
    gather_hits(device_, gather);
    suppress_in(hits_, starts_, count, 0.5, Overlap::of_union);
    join_levels(device_,
                JoinLevelsArgs{count, hits_, hit_sources_, starts_, kept_, counts_, rivals_, sources_, rival_starts_});
    suppress_in(rivals_, rival_starts_, 1, most_overlap, Overlap::of_union);
    constexpr int pitch = static_cast<int>(sizeof(PNetPlace) / sizeof(float));
    next_crops(device_,
               NextCropsArgs{rivals_, sources_, kept_, counts_, order_, places_->regression, pitch, 0, false, rnet_});
  }

  // From what R-Net has said of its crops to O-Net's.
  void refine(float threshold) const {
    select_judged(device_, SelectJudgedArgs{rnet_, threshold, false, rivals_, sources_, rival_starts_});
    suppress_in(rivals_, rival_starts_, 1, most_overlap, Overlap::of_union);
    next_crops(device_, NextCropsArgs{rivals_, sources_, kept_, counts_, order_, rnet_.rows + 2, rnet_.channels, 1,
                                      true, onet_});
  }

  // From what O-Net has said of its crops to faces.
  void decide(float threshold) const {
    select_judged(device_, SelectJudgedArgs{onet_, threshold, true, rivals_, sources_, rival_starts_});
    suppress_in(rivals_, rival_starts_, 1, most_overlap, Overlap::of_smaller);
    read_faces(device_, ReadFacesArgs{onet_, sources_, kept_, counts_, faces_, &numbers_->faces});
  }

  [[nodiscard]] CascadeNumbers numbers() const {
    CascadeNumbers numbers;
    device_.download(&numbers, numbers_, sizeof numbers);
    return numbers;
  }

  // As Judges::judge orders them: best first, equal scores from left to right by the boxes that were judged.
  [[nodiscard]] std::vector<Face> faces(int count) const {
    std::vector<CardFace> all(static_cast<std::size_t>(count));
    device_.download(all.data(), faces_, all.size() * sizeof(CardFace));
    std::ranges::sort(all, {}, [](const CardFace& face) {
      return std::tuple(-face.score, face.judged[0], face.judged[1], face.judged[2], face.judged[3]);
    });
    std::vector<Face> faces;
    faces.reserve(all.size());
    for (const CardFace& face : all) {
      faces.push_back({{face.box[0], face.box[1], face.box[2], face.box[3]}, face.score, {}});
      for (std::size_t k = 0; k < 5; ++k) faces.back().points[k] = {face.points[2 * k], face.points[2 * k + 1]};
    }
    return faces;
  }

 private:
  static constexpr double most_overlap = 0.7;

  template <class T>
  T* make(std::size_t count) {
    return memory_.emplace_back(device_.allocate(count * sizeof(T))).template as<T>();
  }
  template <class T>
  T* make() {
    return make<T>(static_cast<std::size_t>(room_));
  }
  CropList list(int channels, int* count, int* judged) {
    const auto floats = static_cast<std::size_t>(room_) * static_cast<std::size_t>(channels);
    return {make<ScoredCardBox>(), make<CropWindow>(), make<float>(floats), channels, count, judged};
  }

  void suppress_in(const ScoredCardBox* boxes, const int* starts, int problems, double threshold,
                   Overlap overlap) const {
    nms(device_, NmsArgs{boxes, starts, problems, room_, threshold, overlap == Overlap::of_smaller, order_, covers_,
                         kept_, counts_, &numbers_->failed});
  }

  Device device_;
  int room_;
  std::vector<Buffer> memory_;
  CascadeNumbers* numbers_;
  PNetPlace* places_;
  int* of_level_;
  float* opposites_;
  ScoredCardBox *hits_, *rivals_;
  int *hit_sources_, *sources_, *order_, *kept_, *starts_, *rival_starts_, *counts_;
  std::uint64_t* covers_;
  CardFace* faces_;
  CropList rnet_, onet_;
};

}  // namespace wajah
