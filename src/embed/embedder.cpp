#include <wajah/embed/embedder_model.hpp>
#include <wajah/error.hpp>

#include <algorithm>
#include <utility>

namespace wajah {

void require_nothing_unused(const Weights& weights) {
  const std::vector<std::string> unused = weights.unused();
  if (!unused.empty()) {
    fail(ErrorKind::model, "{}: {} tensors belong to no layer, first '{}': is this the right network?",
         weights.source(), unused.size(), unused.front());
  }
}

void embed_in_batches(EmbedderPass& pass, std::span<const Image> crops, Views views, View<float> rows) {
  const int count = static_cast<int>(crops.size()), most = pass.most() / (views == Views::both ? 2 : 1);
  for (int first = 0; first < count; first += most) {
    const int now = std::min(most, count - first);
    pass.embed(crops.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(now)), views,
               rows.images(first, now));
  }
}

void embed_in_batches(EmbedderPass& pass, ConstView<float> x, View<float> rows) {
  const int most = pass.most();
  for (int first = 0; first < x.shape.n; first += most) {
    const int now = std::min(most, x.shape.n - first);
    pass.embed_normalised(x.images(first, now), rows.images(first, now));
  }
}

struct Embedder::Impl {
  std::shared_ptr<const EmbedderModel> model;
  std::unique_ptr<EmbedderPass> pass;
};

Embedder::Embedder(std::shared_ptr<const EmbedderModel> model, const Cpu& cpu) : impl_(std::make_unique<Impl>()) {
  impl_->pass = model->open(cpu);
  impl_->model = std::move(model);
}
Embedder::~Embedder() = default;
Embedder::Embedder(Embedder&&) noexcept = default;
Embedder& Embedder::operator=(Embedder&&) noexcept = default;

const ModelCard& Embedder::card() const { return impl_->model->card; }

std::vector<float> Embedder::embed(std::span<const Image> crops, Views views) {
  const int size = card().input;
  for (std::size_t i = 0; i < crops.size(); ++i) {
    if (crops[i].width < size || crops[i].height != crops[i].width) {
      fail(ErrorKind::input, "crop {} is {}x{} pixels, {} takes {}x{}", i, crops[i].width, crops[i].height,
           card().architecture, size, size);
    }
  }
  std::vector<float> embeddings(crops.size() * static_cast<std::size_t>(card().dimension));
  const Shape rows{static_cast<int>(crops.size()), 1, 1, card().dimension};
  embed_in_batches(*impl_->pass, crops, views, {embeddings.data(), rows});
  return embeddings;
}

std::vector<float> Embedder::embed_normalised(ConstView<float> x) {
  if (x.shape.images(1) != Shape{1, card().input, card().input, 3}) {
    fail(ErrorKind::input, "input is {}x{}x{}x{}, {} takes (n, {}, {}, 3)", x.shape.n, x.shape.h, x.shape.w, x.shape.c,
         card().architecture, card().input, card().input);
  }
  const Shape rows{x.shape.n, 1, 1, card().dimension};
  std::vector<float> embeddings(rows.size());
  embed_in_batches(*impl_->pass, x, {embeddings.data(), rows});
  return embeddings;
}

const ModelCard& card_of(const EmbedderModel& model) { return model.card; }

}  // namespace wajah
