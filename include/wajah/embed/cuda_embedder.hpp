// CudaEmbedder: crops to embeddings without leaving the card: bytes go up, normalising, both views, network, their sum
// and its length are one graph, rows come down.
#pragma once

#include <wajah/cuda_kernels.hpp>
#include <wajah/cuda_pass.hpp>
#include <wajah/embed/embedder_model.hpp>
#include <wajah/embed/prewhiten.hpp>
#include <wajah/model.hpp>
#include <wajah/networks/on_card.hpp>
#include <wajah/ranges.hpp>

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

namespace wajah {

template <class Net, class Device>
class CudaEmbedder final : public EmbedderPass {
 public:
  CudaEmbedder(std::shared_ptr<const Model<Net, Device>> model, int input)
      : model_(std::move(model)), device_(model_->device().on_own_stream()), pass_(device_), input_(input) {}

  [[nodiscard]] int most() const override { return 128; }

  void embed(std::span<const Image> crops, Views views, View<float> rows) override {
    for (int done = 0; !crops.empty();) {
      const auto other = std::ranges::find_if(crops, [&](const Image& crop) { return crop.width != crops[0].width; });
      const auto alike = static_cast<std::size_t>(other - crops.begin());
      embed_alike(crops.first(alike), views, rows.images(done, static_cast<int>(alike)));
      done += static_cast<int>(alike);
      crops = crops.subspan(alike);
    }
  }

  void embed_normalised(ConstView<float> x, View<float> rows) override {
    if (!x.dense()) fail(ErrorKind::input, "Embedder on a card: x must be dense, its pixels are {} apart", x.stride);
    const auto work = [&](const std::byte* from, std::byte* to, Arena scratch) {
      const View<float> y(reinterpret_cast<float*>(to), rows.shape);
      model_->net().forward(device_, ConstView<float>(reinterpret_cast<const float*>(from), x.shape), y, scratch);
      l2_normalise(device_, L2NormaliseArgs{y, y});
    };
    pass_.run({x.shape, {normalised}}, std::as_bytes(std::span(x.data, x.shape.size())), bytes_in(rows),
              Net::workspace(x.shape), work);
  }

 private:
  static constexpr double normalised = 0;  // what is done; with crops it is their number of views

  static std::span<std::byte> bytes_in(View<float> rows) {
    return std::as_writable_bytes(std::span(rows.data, rows.shape.size()));
  }

  // Crops of one size.
  void embed_alike(std::span<const Image> crops, Views views, View<float> rows) {
    const int side = crops[0].width, each = views == Views::both ? 2 : 1;
    const Shape bytes{static_cast<int>(crops.size()), side, side, 3}, images{bytes.n * each, input_, input_, 3};
    const Shape unlike = rows.shape.images(images.n);  // rows, before those of two views become one
    bytes_.clear();
    for (const Image& crop : crops) bytes_.insert(bytes_.end(), crop.pixels.begin(), crop.pixels.end());
    const auto work = [&](const std::byte* from, std::byte* to, Arena scratch) {
      const View<float> x = scratch.front(images), y = scratch.front(unlike);
      normalise_on_card(ConstView<std::uint8_t>(reinterpret_cast<const std::uint8_t*>(from), bytes), x, each);
      model_->net().forward(device_, x, y, scratch);
      const View<float> result(reinterpret_cast<float*>(to), rows.shape);
      if (views == Views::both) {
        unite_views(device_, UniteViewsArgs{y, result});
      } else {
        l2_normalise(device_, L2NormaliseArgs{y, result});
      }
    };
    pass_.run({bytes, {static_cast<double>(each)}}, std::as_bytes(std::span(bytes_)), bytes_in(rows),
              bytes_of(images) + bytes_of(unlike) + Net::workspace(images), work);
  }

  void normalise_on_card(ConstView<std::uint8_t> crops, View<float> x, int views) {
    if constexpr (std::is_same_v<Net, MobileFaceNet> || std::is_same_v<Net, MobileFaceNetHalf> ||
                  std::is_same_v<Net, MobileFaceNetInt8>) {
      StandardiseArgs args{crops, x, {}, {}, views};
      std::ranges::copy(imagenet.mean, args.mean);
      std::ranges::copy(imagenet.deviation, args.deviation);
      standardise(device_, args);
    } else {
      prewhiten(device_, PrewhitenArgs{crops, x, views});
    }
  }

  std::shared_ptr<const Model<Net, Device>> model_;
  Device device_;
  CudaPass pass_;
  int input_;
  std::vector<std::uint8_t> bytes_;
};

template <class Net, class Device>
[[nodiscard]] EmbedderModel::Open open_on_card(const Device& device, const Weights& weights, int input) {
  return with_form_on_card<Net>(device.launch().arithmetic, [&]<class Form>() -> EmbedderModel::Open {
    auto model = std::make_shared<const Model<Form, Device>>(device, weights);
    return [model = std::move(model), input](const Cpu&) {
      return std::make_unique<CudaEmbedder<Form, Device>>(model, input);
    };
  });
}

// load_embedder on any device that runs the sources of kernels/cuda.
template <class Device>
[[nodiscard]] std::shared_ptr<const EmbedderModel> load_cuda_embedder(const Weights& weights, const Device& device) {
  ModelCard card = card_of(weights);
  const Weights needed = device.launch().arithmetic == Arithmetic::int8 ? with_ranges(weights) : weights;
  auto open = card.architecture == "mobilefacenet" ? open_on_card<MobileFaceNet>(device, needed, card.input)
                                                   : open_on_card<InceptionResnetV1>(device, needed, card.input);
  require_nothing_unused(needed);
  return std::make_shared<const EmbedderModel>(std::move(card), std::move(open));
}

}  // namespace wajah
