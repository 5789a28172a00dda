// An embedder on a card with another on the CPU behind it.
#include <wajah/card_watch.hpp>
#include <wajah/embed/embedder_model.hpp>
#include <wajah/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace wajah {
namespace {

void require_finite(ConstView<float> rows) {
  if (!std::all_of(rows.data, rows.data + rows.shape.size(), [](float value) { return std::isfinite(value); })) {
    fail(ErrorKind::device_numbers, "the card computed an embedding that is not finite");
  }
}

class SparedEmbedder final : public EmbedderPass {
 public:
  using Open = std::function<std::unique_ptr<EmbedderPass>()>;

  // open_on_card is called when the card is first used: it may be in no state for it now, and be so later.
  SparedEmbedder(Open open_on_card, std::unique_ptr<EmbedderPass> spare, std::shared_ptr<CardWatch> watch)
      : open_(std::move(open_on_card)), spare_(std::move(spare)), watch_(std::move(watch)) {}

  // Whichever of the two embeds splits what is more than it can take.
  [[nodiscard]] int most() const override { return std::numeric_limits<int>::max(); }
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
      if (!card_) card_ = open_();
      work(*card_);
      require_finite(rows);
    };
    watch_->either(on_card, [&] { work(*spare_); });
  }

  Open open_;
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
    return std::make_unique<SparedEmbedder>([card, cpu] { return card->open(cpu); }, spare->open(cpu), watch);
  };
  return std::make_shared<const EmbedderModel>(std::move(model_card), std::move(open));
}

}  // namespace wajah
