#include <wajah/convert/open.hpp>
#include <wajah/embed/embedder.hpp>
#include <wajah/embed/prewhiten.hpp>
#include <wajah/model.hpp>
#include <wajah/networks/int8.hpp>
#include <wajah/networks/tuned.hpp>
#include <wajah/ranges.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <utility>
#include <variant>

namespace wajah {
namespace {

template <class... Nets>
struct Any {
  using Models = std::variant<std::shared_ptr<const Model<Nets, Cpu>>...>;
  using Sessions = std::variant<Session<Nets, Cpu>...>;
};
using AnyNet = Any<InceptionResnetV1Tuned, InceptionResnetV1, MobileFaceNet, InceptionResnetV1Int8, MobileFaceNetInt8>;

constexpr std::array<std::pair<Mirror, std::string_view>, 3> mirror_names{
    {{Mirror::never, "never"}, {Mirror::enrol, "enrol"}, {Mirror::always, "always"}}};

constexpr int largest_batch = 32;  // images of one forward call: beyond it nothing is gained and scratch only grows

// As 'wajah calibrate --part 1/2' fitted it to the public MobileFaceNet on 2,208 people of LFW, both views of every
// face (docs/accuracy.md).
constexpr DecisionCurve mobilefacenet_curve{-1.2295, 22.1837, 11.0919, -0.2534, 3.0307};

// For weights that nobody has calibrated: the same, but similarities must be 0.12 higher. A guess, meant to refuse
// rather than to let strangers in.
constexpr DecisionCurve cautious_curve{-3.8915, 22.1837, 11.0919, -0.2534, 3.0307};

// The defaults of each architecture, for files that carry no card of their own.
ModelCard default_card(std::string_view architecture) {
  if (architecture == "inception-resnet-v1") {
    return {std::string(architecture), {}, 160, 512, aligned_crop(160), cautious_curve, Mirror::enrol};
  }
  if (architecture == "mobilefacenet") {
    return {std::string(architecture), {}, 112, 128, aligned_crop(112), mobilefacenet_curve, Mirror::always};
  }
  fail(ErrorKind::model, "unknown architecture '{}': expected inception-resnet-v1 or mobilefacenet", architecture);
}

template <class Net>
AnyNet::Models load(const Weights& weights, const Cpu& cpu) {
  return std::make_shared<const Model<Net, Cpu>>(cpu, weights);
}

}  // namespace

ModelCard card_of(const Weights& weights) {
  const auto& metadata = weights.metadata();
  const auto architecture = metadata.find("architecture");
  if (architecture == metadata.end()) {
    fail(ErrorKind::model, "{}: no 'architecture' in its metadata; open it with open_embedder()", weights.source());
  }
  ModelCard card = default_card(architecture->second);
  if (const auto crop = metadata.find("crop"); crop != metadata.end()) card.crop = parse_crop(crop->second);
  if (const auto curve = metadata.find("decision_curve"); curve != metadata.end()) {
    card.curve = parse_decision_curve(curve->second);
  }
  if (const auto mirror = metadata.find("mirror"); mirror != metadata.end()) card.mirror = parse_mirror(mirror->second);
  if (card.crop.size != card.input) {
    fail(ErrorKind::model, "{}: its crop is {} pixels, {} takes {}", weights.source(), card.crop.size,
         card.architecture, card.input);
  }
  card.id = fmt::format("{}-{:016x}", card.architecture, fingerprint(weights));
  return card;
}

namespace {

void require_nothing_unused(const Weights& weights) {
  const std::vector<std::string> unused = weights.unused();
  if (!unused.empty()) {
    fail(ErrorKind::model, "{}: {} tensors belong to no layer, first '{}': is this the right network?",
         weights.source(), unused.size(), unused.front());
  }
}

void normalise_length(std::span<float> row) {
  double sum = 0;
  for (const float v : row) sum += static_cast<double>(v) * static_cast<double>(v);
  const double scale = 1.0 / std::sqrt(std::max(sum, 1e-30));
  for (float& v : row) v = static_cast<float>(static_cast<double>(v) * scale);
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
std::vector<float> added_pairs(std::span<const float> rows, std::size_t dimension) {
  std::vector<float> sums(rows.size() / 2);
  for (std::size_t i = 0; i < sums.size(); i += dimension) {
    const auto a = rows.subspan(2 * i, dimension), b = rows.subspan(2 * i + dimension, dimension);
    const auto sum = std::span(sums).subspan(i, dimension);
    std::ranges::transform(a, b, sum.begin(), std::plus<>());
    normalise_length(sum);
  }
  return sums;
}

}  // namespace

class EmbedderModel {
 public:
  EmbedderModel(const Weights& weights, const Cpu& cpu, Precision precision) : card(card_of(weights)) {
    const bool bytes = precision == Precision::int8;
    const Weights needed = bytes ? with_ranges(weights) : weights;
    if (card.architecture == "mobilefacenet") {
      network = bytes ? load<MobileFaceNetInt8>(needed, cpu) : load<MobileFaceNet>(needed, cpu);
    } else if (precision == Precision::fp32_direct) {
      network = load<InceptionResnetV1>(needed, cpu);
    } else {
      network = bytes ? load<InceptionResnetV1Int8>(needed, cpu) : load<InceptionResnetV1Tuned>(needed, cpu);
    }
    require_nothing_unused(needed);
  }

  ModelCard card;
  AnyNet::Models network;
};

std::string_view name_of(Mirror mirror) {
  return std::ranges::find(mirror_names, mirror, [](const auto& entry) { return entry.first; })->second;
}

Mirror parse_mirror(std::string_view text) {
  const auto* found = std::ranges::find(mirror_names, text, [](const auto& entry) { return entry.second; });
  if (found != mirror_names.end()) return found->first;
  fail(ErrorKind::model, "mirror '{}': expected never, enrol or always", text);
}

Views views_of(Mirror mirror, CropUse use) {
  const bool both = mirror == Mirror::always || (mirror == Mirror::enrol && use == CropUse::enrol);
  return both ? Views::both : Views::photo;
}

std::string_view name_of(Precision precision) {
  switch (precision) {
    case Precision::fp32: return "fp32";
    case Precision::fp32_direct: return "fp32-direct";
    case Precision::int8: return "int8";
  }
  return "unknown";
}

void normalise(const ModelCard& card, const Image& crop, View<float> y) {
  if (card.architecture == "mobilefacenet") {
    standardise(crop, imagenet, y);
  } else {
    prewhiten(crop, y);
  }
}

struct Embedder::Impl {
  Impl(std::shared_ptr<const EmbedderModel> shared, const Cpu& cpu)
      : model(std::move(shared)), session(open(model->network, cpu)) {}

  static AnyNet::Sessions open(const AnyNet::Models& network, const Cpu& cpu) {
    return std::visit([&](const auto& net) { return AnyNet::Sessions(Session(net, cpu)); }, network);
  }

  std::shared_ptr<const EmbedderModel> model;
  AnyNet::Sessions session;
  std::vector<float> input;
};

Embedder::Embedder(std::shared_ptr<const EmbedderModel> model, const Cpu& cpu)
    : impl_(std::make_unique<Impl>(std::move(model), cpu)) {}
Embedder::~Embedder() = default;
Embedder::Embedder(Embedder&&) noexcept = default;
Embedder& Embedder::operator=(Embedder&&) noexcept = default;

const ModelCard& Embedder::card() const { return impl_->model->card; }

std::vector<float> Embedder::embed(std::span<const Image> crops, Views views) {
  const int size = card().input, each = views == Views::both ? 2 : 1;
  const auto dimension = static_cast<std::size_t>(card().dimension);
  const auto most = static_cast<std::size_t>(largest_batch / each);
  std::vector<float> embeddings;
  embeddings.reserve(crops.size() * dimension);
  for (std::size_t first = 0; first < crops.size(); first += most) {
    const std::span<const Image> batch = crops.subspan(first, std::min(most, crops.size() - first));
    const Shape shape{static_cast<int>(batch.size()) * each, size, size, 3};
    impl_->input.resize(shape.size());
    const View<float> x(impl_->input.data(), shape);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (batch[i].width < size || batch[i].height != batch[i].width) {
        fail(ErrorKind::input, "crop {} is {}x{} pixels, {} takes {}x{}", first + i, batch[i].width, batch[i].height,
             card().architecture, size, size);
      }
      const View<float> one = x.images(static_cast<int>(i) * each, 1);
      normalise(card(), batch[i], one);
      if (views == Views::both) mirror_image(one, x.images(static_cast<int>(i) * each + 1, 1));
    }
    std::vector<float> rows = embed_normalised(x);
    if (views == Views::both) rows = added_pairs(rows, dimension);
    embeddings.insert(embeddings.end(), rows.begin(), rows.end());
  }
  return embeddings;
}

std::vector<float> Embedder::embed_normalised(ConstView<float> x) {
  const auto dimension = static_cast<std::size_t>(card().dimension);
  if (x.shape.images(1) != Shape{1, card().input, card().input, 3}) {
    fail(ErrorKind::input, "input is {}x{}x{}x{}, {} takes (n, {}, {}, 3)", x.shape.n, x.shape.h, x.shape.w, x.shape.c,
         card().architecture, card().input, card().input);
  }
  std::vector<float> embeddings(static_cast<std::size_t>(x.shape.n) * dimension);
  const View<float> y(embeddings.data(), {x.shape.n, 1, 1, card().dimension});
  for (int first = 0; first < x.shape.n; first += largest_batch) {
    const int count = std::min(largest_batch, x.shape.n - first);
    std::visit([&](auto& session) { session.forward(x.images(first, count), y.images(first, count)); }, impl_->session);
  }
  for (std::size_t i = 0; i < embeddings.size(); i += dimension) {
    normalise_length(std::span(embeddings).subspan(i, dimension));
  }
  return embeddings;
}

std::shared_ptr<const EmbedderModel> load_embedder(const Weights& weights, const Cpu& cpu, Precision precision) {
  return std::make_shared<const EmbedderModel>(weights, cpu, precision);
}

const ModelCard& card_of(const EmbedderModel& model) { return model.card; }

}  // namespace wajah
