// The embedder on the CPU.
#include <wajah/cpu_half.hpp>
#include <wajah/embed/embedder_model.hpp>
#include <wajah/model.hpp>
#include <wajah/networks/half.hpp>
#include <wajah/networks/int8.hpp>
#include <wajah/networks/tuned.hpp>
#include <wajah/ranges.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>
#include <vector>

namespace wajah {
namespace {

void normalise_length(std::span<float> row) {
  double sum = 0;
  for (const float v : row) sum += static_cast<double>(v) * static_cast<double>(v);
  const double scale = 1.0 / std::sqrt(std::max(sum, 1e-30));
  for (float& v : row) v = static_cast<float>(static_cast<double>(v) * scale);
}

void normalise_lengths(View<float> rows) {
  const auto dimension = static_cast<std::size_t>(rows.shape.c);
  for (int i = 0; i < rows.shape.n; ++i) normalise_length({rows.pixel(i, 0, 0), dimension});
}

void mirror_image(ConstView<float> x, View<float> y) {
  for (int row = 0; row < x.shape.h; ++row) {
    for (int column = 0; column < x.shape.w; ++column) {
      const float* from = x.pixel(0, row, column);
      std::copy(from, from + x.shape.c, y.pixel(0, row, x.shape.w - 1 - column));
    }
  }
}

// Of every two rows their sum, brought to unit length.
void add_pairs(ConstView<float> pairs, View<float> sums) {
  for (int i = 0; i < sums.shape.n; ++i) {
    const float *a = pairs.pixel(2 * i, 0, 0), *b = pairs.pixel(2 * i + 1, 0, 0);
    std::transform(a, a + sums.shape.c, b, sums.pixel(i, 0, 0), std::plus<>());
  }
  normalise_lengths(sums);
}

template <class Net>
class CpuEmbedder final : public EmbedderPass {
 public:
  CpuEmbedder(const std::shared_ptr<const Model<Net, Cpu>>& model, const ModelCard& card, const Cpu& cpu)
      : session_(model, cpu), card_(card) {}

  // Beyond it nothing is gained and scratch only grows.
  [[nodiscard]] int most() const override { return 32; }

  void embed(std::span<const Image> crops, Views views, View<float> rows) override {
    const int each = views == Views::both ? 2 : 1;
    const Shape shape{static_cast<int>(crops.size()) * each, card_.input, card_.input, 3};
    input_.resize(shape.size());
    const View<float> x(input_.data(), shape);
    for (std::size_t i = 0; i < crops.size(); ++i) {
      const View<float> one = x.images(static_cast<int>(i) * each, 1);
      normalise(card_, crops[i], one);
      if (views == Views::both) mirror_image(one, x.images(static_cast<int>(i) * each + 1, 1));
    }
    if (views == Views::photo) return embed_normalised(x, rows);
    pairs_.resize(rows.shape.size() * 2);
    const View<float> pairs(pairs_.data(), rows.shape.images(shape.n));
    embed_normalised(x, pairs);
    add_pairs(pairs, rows);
  }

  void embed_normalised(ConstView<float> x, View<float> rows) override {
    session_.forward(x, rows);
    normalise_lengths(rows);
  }

 private:
  Session<Net, Cpu> session_;
  ModelCard card_;
  std::vector<float> input_, pairs_;
};

template <class Net>
EmbedderModel::Open open_on_cpu(const Weights& weights, const Cpu& cpu, const ModelCard& card) {
  auto model = std::make_shared<const Model<Net, Cpu>>(cpu, weights);
  return
      [model = std::move(model), card](const Cpu& on) { return std::make_unique<CpuEmbedder<Net>>(model, card, on); };
}

EmbedderModel::Open open_on_cpu(const Weights& weights, const Cpu& cpu, const ModelCard& card, Precision precision) {
  const bool mobile = card.architecture == "mobilefacenet";
  switch (precision) {
    case Precision::fp32: break;
    case Precision::fp32_direct:
      if (mobile) break;
      return open_on_cpu<InceptionResnetV1>(weights, cpu, card);
    case Precision::int8:
      return mobile ? open_on_cpu<MobileFaceNetInt8>(weights, cpu, card)
                    : open_on_cpu<InceptionResnetV1Int8>(weights, cpu, card);
    case Precision::fp16:
      require_half_arithmetic(cpu);
      return mobile ? open_on_cpu<MobileFaceNetHalf>(weights, cpu, card)
                    : open_on_cpu<InceptionResnetV1Half>(weights, cpu, card);
  }
  return mobile ? open_on_cpu<MobileFaceNet>(weights, cpu, card)
                : open_on_cpu<InceptionResnetV1Tuned>(weights, cpu, card);
}

}  // namespace

std::shared_ptr<const EmbedderModel> load_embedder(const Weights& weights, const Cpu& cpu, Precision precision) {
  ModelCard card = card_of(weights);
  const Weights needed = precision == Precision::int8 ? with_ranges(weights) : weights;
  auto open = open_on_cpu(needed, cpu, card, precision);
  require_nothing_unused(needed);
  return std::make_shared<const EmbedderModel>(std::move(card), std::move(open));
}

}  // namespace wajah
