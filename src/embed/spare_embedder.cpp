// An embedder on a card with another on the CPU behind it.
#include <wajah/card_watch.hpp>
#include <wajah/embed/embedder_model.hpp>
#include <wajah/error.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace wajah {
namespace {

void require_finite(ConstView<float> rows) {
  if (!std::all_of(rows.data, rows.data + rows.shape.size(), [](float value) { return std::isfinite(value); })) {
    fail(ErrorKind::device, "the card computed an embedding that is not finite");
  }
}

class SparedEmbedder final : public EmbedderPass {
 public:
  // card: null if it has failed already.
  SparedEmbedder(std::unique_ptr<EmbedderPass> card, std::unique_ptr<EmbedderPass> spare,
                 std::shared_ptr<CardWatch> watch)
      : card_(std::move(card)), spare_(std::move(spare)), watch_(std::move(watch)) {}

  [[nodiscard]] int most() const override { return watch_->works() ? card_->most() : spare_->most(); }
  void embed(std::span<const Image> crops, Views views, View<float> rows) override {
    run(rows, [&](EmbedderPass& pass) { embed_in_batches(pass, crops, views, rows); });
  }
  void embed_normalised(ConstView<float> x, View<float> rows) override {
    run(rows, [&](EmbedderPass& pass) { embed_in_batches(pass, x, rows); });
  }

 private:
  template <class Work>
  void run(ConstView<float> rows, const Work& work) {
    const auto on_card = [&] {
      work(*card_);
      require_finite(rows);
    };
    watch_->either(on_card, [&] { work(*spare_); });
  }

  std::unique_ptr<EmbedderPass> card_, spare_;
  std::shared_ptr<CardWatch> watch_;
};

}  // namespace

std::shared_ptr<const EmbedderModel> with_spare(std::shared_ptr<const EmbedderModel> card,
                                                std::shared_ptr<const EmbedderModel> spare,
                                                std::shared_ptr<CardWatch> watch) {
  if (card->card.id != spare->card.id) {
    fail(ErrorKind::model, "an embedder of {} cannot stand in for one of {}", spare->card.id, card->card.id);
  }
  ModelCard model_card = card->card;
  auto open = [card = std::move(card), spare = std::move(spare), watch = std::move(watch)](const Cpu& cpu) {
    auto on_card = watch->either([&] { return card->open(cpu); }, [] { return std::unique_ptr<EmbedderPass>(); });
    return std::make_unique<SparedEmbedder>(std::move(on_card), spare->open(cpu), watch);
  };
  return std::make_shared<const EmbedderModel>(std::move(model_card), std::move(open));
}

}  // namespace wajah
