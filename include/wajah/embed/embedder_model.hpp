// EmbedderModel: what Embedder needs of a device. Included by who brings another device; users want embedder.hpp.
#pragma once

#include <wajah/embed/embedder.hpp>

#include <functional>
#include <memory>
#include <span>

namespace wajah {

// One thread's way through a network. Rows are (n, 1, 1, dimension), each of unit length.
class EmbedderPass {
 public:
  EmbedderPass() = default;
  virtual ~EmbedderPass() = default;
  EmbedderPass(const EmbedderPass&) = delete;
  EmbedderPass& operator=(const EmbedderPass&) = delete;
  EmbedderPass(EmbedderPass&&) = delete;
  EmbedderPass& operator=(EmbedderPass&&) = delete;

  // Images, counting both views of a crop, that one call may have.
  [[nodiscard]] virtual int most() const = 0;
  // The crops are square and no smaller than the network's input; not all need be of one size.
  virtual void embed(std::span<const Image> crops, Views views, View<float> rows) = 0;
  virtual void embed_normalised(ConstView<float> x, View<float> rows) = 0;
};

class EmbedderModel {
 public:
  // `cpu` is for passes that compute on one.
  using Open = std::function<std::unique_ptr<EmbedderPass>(const Cpu& cpu)>;

  EmbedderModel(ModelCard model_card, Open how) : card(std::move(model_card)), open(std::move(how)) {}

  ModelCard card;
  Open open;
};

// All of them, at most pass.most() images at a time.
void embed_in_batches(EmbedderPass& pass, std::span<const Image> crops, Views views, View<float> rows);
void embed_in_batches(EmbedderPass& pass, ConstView<float> x, View<float> rows);

// Throws Error (model) if a network has left tensors over: it was given the wrong file.
void require_nothing_unused(const Weights& weights);

}  // namespace wajah
