// A detector on a card with another on the CPU behind it.
#include <wajah/card_watch.hpp>
#include <wajah/detect/detector_model.hpp>
#include <wajah/error.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace wajah {
namespace {

bool finite(const Face& face) {
  const auto both = [](const Point& point) { return std::isfinite(point.x) && std::isfinite(point.y); };
  const Box& box = face.box;
  return std::isfinite(face.score) && both({box.x1, box.y1}) && both({box.x2, box.y2}) &&
         std::ranges::all_of(face.points, both);
}

class SparedDetector final : public DetectorPass {
 public:
  using Open = std::function<std::unique_ptr<DetectorPass>()>;

  // open_on_card is called when the card is first used: it may be in no state for it now, and be so later.
  SparedDetector(Open open_on_card, std::unique_ptr<DetectorPass> spare, std::shared_ptr<CardWatch> watch)
      : open_(std::move(open_on_card)), spare_(std::move(spare)), watch_(std::move(watch)) {}

  [[nodiscard]] std::vector<Face> detect(const Image& image, const DetectorOptions& options,
                                         const DetectorWatch& watch) override {
    const auto on_card = [&] {
      if (!card_) card_ = open_();
      std::vector<Face> faces = card_->detect(image, options, watch);
      if (!std::ranges::all_of(faces, finite)) {
        fail(ErrorKind::device_numbers, "the card found a face of numbers that are not finite");
      }
      return faces;
    };
    return watch_->either(on_card, [&] { return spare_->detect(image, options, watch); });
  }

 private:
  Open open_;
  std::unique_ptr<DetectorPass> card_, spare_;
  std::shared_ptr<CardWatch> watch_;
};

}  // namespace

std::shared_ptr<const DetectorModel> with_spare(std::shared_ptr<const DetectorModel> card,
                                                std::shared_ptr<const DetectorModel> spare,
                                                std::shared_ptr<CardWatch> watch) {
  return std::make_shared<const DetectorModel>(
      [card = std::move(card), spare = std::move(spare), watch = std::move(watch)](const Cpu& cpu, DetectorWay way) {
        return std::make_unique<SparedDetector>([card, cpu, way] { return card->open(cpu, way); },
                                                spare->open(cpu, way), watch);
      });
}

}  // namespace wajah
