// The public Embedder with a card under it, which here is the host, against the one on the CPU.
#include <wajah/card_watch.hpp>
#include <wajah/cosine.hpp>
#include <wajah/embed/cuda_embedder.hpp>
#include <wajah/error.hpp>
#include <wajah/seen_ranges.hpp>

#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "check.hpp"
#include "cli/random_weights.hpp"
#include "cuda_host/emulated_cuda.hpp"

namespace wajah {
namespace {

Weights invented(const char* architecture) {
  return Weights::invented().with_metadata({{"architecture", architecture}});
}

Image noise(int side, std::mt19937& random) {
  Image image(side, side);
  for (std::uint8_t& byte : image.pixels) byte = static_cast<std::uint8_t>(random() % 256);
  return image;
}

void check_rows(const char* name, std::span<const float> got, std::span<const float> expected, int dimension,
                double tolerance) {
  check_close(name, got, expected, {tolerance, 0});
  for (std::size_t i = 0; i < got.size(); i += static_cast<std::size_t>(dimension)) {
    double squares = 0;
    for (const float value : got.subspan(i, static_cast<std::size_t>(dimension))) squares += double{value} * value;
    CHECK(squares == doctest::Approx(1).epsilon(1e-5));
  }
}

TEST_CASE("cuda embedder: crops of several sizes become the CPU's embeddings, by one view and by both") {
  const Cpu cpu;
  std::mt19937 random(3);
  const Weights weights = invented("mobilefacenet");
  Embedder expected(load_embedder(weights, cpu), cpu), got(load_cuda_embedder(weights, EmulatedCuda()), cpu);
  CHECK(got.card().id == expected.card().id);
  const std::vector<Image> crops{noise(112, random), noise(120, random), noise(120, random)};
  for (const Views views : {Views::photo, Views::both}) {
    check_rows("MobileFaceNet", got.embed(crops, views), expected.embed(crops, views), 128, 2e-5);
  }
  CHECK(got.embed({}).empty());
  CHECK_THROWS_WITH_AS((void)got.embed(std::vector{Image(112, 100)}), doctest::Contains("crop 0 is 112x100"), Error);
}

TEST_CASE("cuda embedder: what is already normalised") {
  const Cpu cpu;
  const Weights weights = invented("mobilefacenet");
  Embedder expected(load_embedder(weights, cpu), cpu), got(load_cuda_embedder(weights, EmulatedCuda()), cpu);
  const Shape shape{2, 112, 112, 3};
  std::mt19937 random(5);
  std::uniform_real_distribution<float> number(-1, 1);
  std::vector<float> x(shape.size() + 2 * 112 * 112);
  for (float& value : x) value = number(random);
  check_rows("MobileFaceNet", got.embed_normalised({x.data(), shape}), expected.embed_normalised({x.data(), shape}),
             128, 2e-5);
  CHECK_THROWS_WITH_AS((void)got.embed_normalised({x.data(), shape.images(1), 4}), doctest::Contains("must be dense"),
                       Error);
  CHECK_THROWS_AS((void)got.embed_normalised({x.data(), {1, 160, 160, 3}}), Error);
}

TEST_CASE("cuda embedder: Inception-ResNet-v1, whose enrolment crops keep their border") {
  const Cpu cpu;
  std::mt19937 random(7);
  const Weights weights = invented("inception-resnet-v1");
  Embedder expected(load_embedder(weights, cpu), cpu), got(load_cuda_embedder(weights, EmulatedCuda()), cpu);
  const std::vector<Image> crops{noise(182, random)};
  check_rows("Inception-ResNet-v1", got.embed(crops, Views::both), expected.embed(crops, Views::both), 512, 1e-4);
}

TEST_CASE("cuda embedder: on maps of 16 bits, where the card computes in such") {
  const Cpu cpu;
  std::mt19937 random(9);
  const Weights weights = invented("mobilefacenet");
  Embedder expected(load_embedder(weights, cpu), cpu);
  const std::vector<Image> crops{noise(112, random)};
  const std::vector<float> rows = expected.embed(crops, Views::both);
  for (const auto& [arithmetic, tolerance] : {std::pair{Arithmetic::fp16, 1e-3}, {Arithmetic::bf16, 1e-2}}) {
    Embedder got(load_cuda_embedder(weights, EmulatedCuda(arithmetic)), cpu);
    check_rows("MobileFaceNet", got.embed(crops, Views::both), rows, 128, tolerance);
  }
}

TEST_CASE("cuda embedder: on bytes, where the card computes in such and the weights have ranges") {
  const Cpu cpu;
  std::mt19937 random(11);
  const Weights without = cli::random_weights<MobileFaceNet>({1, 112, 112, 3}, cli::calm_spread);
  const Weights weights = with_metadata(without, "architecture", "mobilefacenet");
  const EmulatedCuda card(Arithmetic::int8);
  CHECK_THROWS_WITH_AS((void)load_cuda_embedder(weights, card), doctest::Contains("wajah models quantise"), Error);
  const std::vector<Image> crops{noise(112, random), noise(120, random)};
  const Shape image{1, 112, 112, 3};
  std::vector<float> x(image.size());
  normalise(card_of(weights), crops[0], {x.data(), image});
  const Weights ranged =
      with_ranges_seen_on<MobileFaceNet, MobileFaceNetInt8>(weights, cpu, ConstView<float>(x.data(), image));
  const Cpu alike(1, Isa::scalar);  // bytes of 8 bits, as on a card
  const auto on_cpu = load_embedder(ranged, alike, Precision::int8);
  const auto watch = std::make_shared<CardWatch>([](CardWatch::Event, const CardReport&) {});
  Embedder got(with_spare(load_cuda_embedder(ranged, card), on_cpu, watch), alike), expected(on_cpu, alike),
      exact(load_embedder(ranged, cpu), cpu);
  CHECK(got.card().id == exact.card().id);
  for (const Views views : {Views::photo, Views::both}) {
    const std::vector<float> rows = got.embed(crops, views), floats = exact.embed(crops, views);
    check_rows("MobileFaceNet int8", rows, expected.embed(crops, views), 128, 1e-2);
    CHECK(cosine(std::span(rows).first(128), std::span(floats).first(128)) > 0.99);
    CHECK(cosine(std::span(rows).last(128), std::span(floats).last(128)) > 0.99);
  }
  CHECK(watch->in_use());
}

TEST_CASE("cuda embedder: weights of another network are refused") {
  Weights::Builder builder("a file");
  builder.metadata("architecture", "resnet-50");
  CHECK_THROWS_WITH_AS((void)load_cuda_embedder(std::move(builder).build(), EmulatedCuda()),
                       doctest::Contains("unknown architecture"), Error);
}

// What a test may do to the host's driver.
const CudaDriver& driver_with(void (*change)(CudaDriver&)) {
  static std::vector<std::unique_ptr<CudaDriver>> drivers;  // a Cuda's driver outlives it
  CudaDriver& driver = *drivers.emplace_back(std::make_unique<CudaDriver>(host_driver()));
  change(driver);
  return driver;
}

// Two embedders of one model on a card of that driver with the CPU behind it, and what is told of its failure.
struct Spared {
  explicit Spared(void (*change)(CudaDriver&)) {
    const Weights weights = invented("mobilefacenet");
    const auto on_cpu = load_embedder(weights, cpu);
    const auto model =
        with_spare(load_cuda_embedder(weights, EmulatedCuda(Arithmetic::fp32, driver_with(change))), on_cpu, watch);
    one.emplace(model, cpu);
    other.emplace(model, cpu);
    expected.emplace(on_cpu, cpu);
  }

  Cpu cpu;
  std::vector<std::string> reasons;
  CardWatch::Time now{};
  std::shared_ptr<CardWatch> watch = std::make_shared<CardWatch>(
      [this](CardWatch::Event, const CardReport& card) { reasons.push_back(card.reason); }, [this] { return now; });
  std::optional<Embedder> one, other, expected;
};

TEST_CASE("cuda embedder: what finds no room on the card is the CPU's, and the card goes on with what does") {
  Spared embedder([](CudaDriver& driver) {
    driver.describe = [](int, CudaFacts* facts) {
      return *facts = {"small", 9, 0, 4, std::size_t{56} << 20U, std::size_t{56} << 20U}, 0;
    };
  });
  std::mt19937 random(9);
  const std::vector<Image> few{noise(112, random)}, many(16, few.front());
  const auto row = embedder.expected->embed(few);
  check_rows("on the card", embedder.one->embed(few), row, 128, 2e-5);
  CHECK(embedder.reasons.empty());
  CHECK(embedder.one->embed(many, Views::both) == embedder.expected->embed(many, Views::both));
  REQUIRE(embedder.reasons.size() == 1);
  CHECK(embedder.reasons[0].find("engine.gpu.memory_fraction allows are in use") != std::string::npos);
  CHECK(embedder.watch->report().without_room == 1);
  CHECK(embedder.watch->in_use());
  const auto again = embedder.one->embed(few);
  check_rows("on the card again", again, row, 128, 2e-5);
  CHECK(again != row);
  CHECK(embedder.reasons.size() == 1);
}

TEST_CASE(
    "cuda embedder: numbers that are not finite make a card rest until a crop has tried it, a wrong crop does not") {
  static bool wrong;
  wrong = true;
  Spared embedder([](CudaDriver& driver) {
    driver.copy = [](void* to, const void* from, std::size_t bytes, CopyDirection direction, void* stream) {
      const int error = host_driver().copy(to, from, bytes, direction, stream);
      if (wrong && direction == CopyDirection::from_card) std::memset(to, 0xFF, 4);
      return error;
    };
  });
  const std::vector<float> x(112 * 112 * 3, 0.5F);
  const ConstView<float> crop(x.data(), {1, 112, 112, 3});
  CHECK_THROWS_AS((void)embedder.one->embed_normalised({x.data(), {1, 56, 112, 6}}), Error);
  CHECK(embedder.reasons.empty());
  CHECK(embedder.one->embed_normalised(crop) == embedder.expected->embed_normalised(crop));
  REQUIRE(embedder.reasons.size() == 1);
  CHECK(embedder.reasons[0] == "the card computed an embedding that is not finite");
  wrong = false;
  CHECK(embedder.other->embed_normalised(crop) == embedder.expected->embed_normalised(crop));
  embedder.now += CardWatch::shortest_pause;
  check_rows("on the card again", embedder.other->embed_normalised(crop), embedder.expected->embed_normalised(crop),
             128, 2e-5);
  CHECK(embedder.watch->in_use());
}

TEST_CASE("cuda embedder: only the same weights can stand in for others") {
  const Cpu cpu;
  const auto one = load_embedder(invented("mobilefacenet"), cpu),
             other = load_embedder(invented("inception-resnet-v1"), cpu);
  const auto watch = std::make_shared<CardWatch>([](CardWatch::Event, const CardReport&) {});
  CHECK_THROWS_AS((void)with_spare(one, other, watch), Error);
}

}  // namespace
}  // namespace wajah
