// Views as xtensor expressions: how a researcher checks a layer against a formula.
#include "check.hpp"

#include <wajah/layers/softmax.hpp>
#include <wajah/xtensor.hpp>

#include <xtensor/xmath.hpp>
#include <xtensor/xrandom.hpp>
#include <xtensor/xview.hpp>

namespace {

using namespace wajah;

TEST_CASE("softmax is exp(x) / sum exp(x), written in xtensor") {
  xt::xtensor<float, 4> x = xt::random::randn<float>({2, 3, 5, 7});
  xt::xtensor<float, 4> y = xt::zeros<float>({2, 3, 5, 7});
  for_each_cpu([&](const Cpu& cpu, const std::string& name) {
    Softmax().forward(cpu, to_view(x), to_view(y), Arena{});
    const xt::xtensor<float, 4> e = xt::exp(x);
    const xt::xtensor<float, 4> sum = xt::sum(e, {3}, xt::keep_dims);  // evaluated: a lazy sum refers to its {3}
    const xt::xtensor<float, 4> expected = e / sum;
    CHECK_MESSAGE(xt::allclose(y, expected, 1e-5, 1e-6), name);
  });
}

TEST_CASE("a slice of channels keeps its stride, for reading and for writing") {
  xt::xtensor<float, 4> whole = xt::arange<float>(0, 2 * 2 * 2 * 6).reshape({2, 2, 2, 6});
  auto slice = to_xtensor(to_view(whole).channels(2, 3));
  const xt::xtensor<float, 4> expected = xt::view(whole, xt::all(), xt::all(), xt::all(), xt::range(2, 5));
  CHECK(xt::all(xt::equal(slice, expected)));
  slice(1, 1, 0, 2) = -1;
  CHECK(whole(1, 1, 0, 4) == -1);
}

}  // namespace
