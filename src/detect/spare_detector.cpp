// A detector on a card with another on the CPU behind it.
#include <wajah/card_watch.hpp>
#include <wajah/detect/detector_model.hpp>

#include <utility>

namespace wajah {
namespace {

class SparedDetector final : public DetectorPass {
 public:
  // card: null if it has failed already.
  SparedDetector(std::unique_ptr<DetectorPass> card, std::unique_ptr<DetectorPass> spare,
                 std::shared_ptr<CardWatch> watch)
      : card_(std::move(card)), spare_(std::move(spare)), watch_(std::move(watch)) {}

  [[nodiscard]] std::vector<Face> detect(const Image& image, const DetectorOptions& options,
                                         const DetectorWatch& watch) override {
    return watch_->either([&] { return card_->detect(image, options, watch); },
                          [&] { return spare_->detect(image, options, watch); });
  }

 private:
  std::unique_ptr<DetectorPass> card_, spare_;
  std::shared_ptr<CardWatch> watch_;
};

}  // namespace

std::shared_ptr<const DetectorModel> with_spare(std::shared_ptr<const DetectorModel> card,
                                                std::shared_ptr<const DetectorModel> spare,
                                                std::shared_ptr<CardWatch> watch) {
  return std::make_shared<const DetectorModel>([card = std::move(card), spare = std::move(spare),
                                                watch = std::move(watch)](const Cpu& cpu, DetectorWay way) {
    auto on_card = watch->either([&] { return card->open(cpu, way); }, [] { return std::unique_ptr<DetectorPass>(); });
    return std::make_unique<SparedDetector>(std::move(on_card), spare->open(cpu, way), watch);
  });
}

}  // namespace wajah
