#include <wajah/embed/embedder.hpp>
#include <wajah/embed/int8_calibration.hpp>
#include <wajah/error.hpp>
#include <wajah/networks/int8.hpp>
#include <wajah/seen_ranges.hpp>

#include <algorithm>
#include <numeric>

namespace wajah {
namespace {

struct Method {
  std::string name;
  ChooseRange choose;
};

std::vector<Method> methods() {
  const auto without = [](double share) { return [share](const Histogram& seen) { return seen.without(share); }; };
  return {{"all", &Histogram::all},
          {"99.999 %", without(1e-5)},
          {"99.99 %", without(1e-4)},
          {"99.9 %", without(1e-3)},
          {"least error", &Histogram::least_error}};
}

std::vector<float> embed(const Weights& weights, std::span<const Image> crops, const Cpu& cpu, Precision precision) {
  return Embedder(load_embedder(weights, cpu, precision), cpu).embed(crops);
}

Likeness compare(std::string method, std::span<const float> exact, std::span<const float> bytes, int dimension) {
  Likeness likeness{std::move(method), 0, 1};
  const auto step = static_cast<std::size_t>(dimension);
  for (std::size_t i = 0; i < exact.size(); i += step) {
    const std::span<const float> a = exact.subspan(i, step);
    const double cosine = std::inner_product(a.begin(), a.end(), bytes.begin() + static_cast<std::ptrdiff_t>(i), 0.0);
    likeness.mean += cosine * static_cast<double>(step) / static_cast<double>(exact.size());
    likeness.least = std::min(likeness.least, cosine);
  }
  return likeness;
}

template <class Net, class Bytes>
Int8Calibration calibrate(const Weights& weights, const ModelCard& card, std::span<const Image> crops, const Cpu& cpu) {
  const Shape image{1, card.input, card.input, 3};
  const auto seen = see_maps<Net>(weights, cpu, image, crops.size(),
                                  [&](std::size_t i, View<float> x) { normalise(card, crops[i], x); });
  const std::vector<float> exact = embed(weights, crops, cpu, Precision::fp32);
  Int8Calibration result;
  for (const Method& method : methods()) {
    const Ranges ranges = choose_ranges<Bytes>(seen, image, method.choose);
    Weights candidate = with_metadata(weights, std::string(ranges_key), text_of(ranges));
    const std::vector<float> bytes = embed(candidate, crops, cpu, Precision::int8);
    result.tried.push_back(compare(method.name, exact, bytes, card.dimension));
    if (result.tried.size() == 1 || result.tried.back().mean > result.chosen.mean) {
      result.chosen = result.tried.back();
      result.weights = std::move(candidate);
    }
  }
  return result;
}

}  // namespace

Int8Calibration calibrate_int8(const Weights& weights, std::span<const Image> crops, const Cpu& cpu) {
  if (crops.size() < least_crops) {
    fail(ErrorKind::input, "{} crops of faces to measure ranges on, expected {} or more, better some hundred",
         crops.size(), least_crops);
  }
  const ModelCard card = card_of(weights);
  return card.architecture == "mobilefacenet"
             ? calibrate<MobileFaceNet, MobileFaceNetInt8>(weights, card, crops, cpu)
             : calibrate<InceptionResnetV1, InceptionResnetV1Int8>(weights, card, crops, cpu);
}

}  // namespace wajah
