// Networks on maps of halves on CPUs, beside the same networks in float32.
#include "allocations.hpp"
#include "check.hpp"

#include <wajah/model.hpp>
#include <wajah/networks/half.hpp>

#include <cmath>

namespace {

using namespace wajah;

template <class Net>
std::vector<float> run(const Cpu& cpu, const Weights& weights, ConstView<float> x) {
  Session<Net, Cpu> session(std::make_shared<const Model<Net, Cpu>>(cpu, weights));
  const View<float> y = session.forward(x);
  return {y.data, y.data + y.shape.size()};
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    ab += x * y, aa += x * x, bb += y * y;
  }
  return ab / std::sqrt(aa * bb);
}

// By the builds that compute in float where this CPU has no half arithmetic: the scalar one, which imitates it, would
// take a minute.
template <class Net>
void check_network(int side) {
  if (!has_isa(Isa::avx2)) {
    MESSAGE("skipped: this CPU has no AVX2");
    return;
  }
  const Cpu cpu(2);
  std::mt19937 random(7);
  const Shape shape{2, side, side, 3};
  std::vector<float> numbers(shape.size());
  for (float& v : numbers) v = std::normal_distribution<float>()(random);
  const ConstView<float> x(numbers.data(), shape);
  const std::vector<float> exact = run<Net>(cpu, Weights::invented(), x);
  const std::vector<float> halves = run<Halved<Net>>(cpu, Weights::invented(), x);
  const std::size_t each = exact.size() / 2;
  for (std::size_t i = 0; i < 2; ++i) {
    const double same = cosine(std::span(exact).subspan(i * each, each), std::span(halves).subspan(i * each, each));
    CHECK(same > 0.999);
    CHECK(same < 1);  // or it was no network of halves
  }
}

TEST_CASE("Inception-ResNet-v1 on halves is near the one on floats") { check_network<InceptionResnetV1>(160); }
TEST_CASE("MobileFaceNet on halves is near the one on floats") { check_network<MobileFaceNet>(112); }

TEST_CASE("networks on halves: after the first call nothing is allocated") {
  const Cpu cpu(2);
  if (cpu.isa() < Isa::avx2) return;
  Session<MobileFaceNetHalf, Cpu> session(
      std::make_shared<const Model<MobileFaceNetHalf, Cpu>>(cpu, Weights::invented()));
  const std::vector<float> x(Shape{1, 112, 112, 3}.size(), 0.5F);
  (void)session.forward(ConstView<float>(x.data(), {1, 112, 112, 3}));
  const std::size_t before = test::allocations();
  (void)session.forward(ConstView<float>(x.data(), {1, 112, 112, 3}));
  CHECK(test::allocations() == before);
}

}  // namespace
