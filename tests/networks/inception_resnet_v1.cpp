// Inception-ResNet-v1 against TensorFlow's activations and embeddings of the same frozen graph (shared data).
#include "allocations.hpp"
#include "check.hpp"

#include <doctest/doctest.h>

#include <wajah/convert/npy.hpp>
#include <wajah/convert/open.hpp>
#include <wajah/describe.hpp>
#include <wajah/embed/embedder.hpp>
#include <wajah/embed/prewhiten.hpp>
#include <wajah/model.hpp>
#include <wajah/networks/inception_resnet_v1.hpp>

#include <cmath>

namespace {

using namespace wajah;
using namespace wajah::inception_resnet_v1;

// Pinned because it is what a server's thread costs: the two largest neighbouring maps of the stem.
static_assert(InceptionResnetV1::workspace({1, 160, 160, 3}) <= 2'400'000);

TEST_CASE("the network's cost is the published one") {
  std::size_t macs = 0, layers = 0;
  for (const LayerInfo& layer : describe<InceptionResnetV1>({1, 160, 160, 3})) {
    macs += layer.macs;
    ++layers;
  }
  CHECK(macs / 1'000'000 == 1417);
  CHECK(layers == 132 + 3 + 1 + 1);  // convolutions, max pools, the average, the bottleneck
}

// Runs one stage on what the stage before gave and compares with TensorFlow's activation of that scope.
template <class Stage>
std::vector<float> check_stage(const std::filesystem::path& golden, const char* scope, const Weights& weights,
                               const std::vector<float>& x, Shape shape) {
  Session<Stage, Cpu> session(std::make_shared<const Model<Stage, Cpu>>(Cpu(), weights));
  const View<float> y = session.forward(ConstView<float>(x.data(), shape));
  const NpyArray expected = read_npy(golden / fmt::format("irv1_act_{}.npy", scope));
  const std::vector<float> got(y.data, y.data + y.shape.size());
  test::check_close(scope, got, expected.as_floats(), {.absolute = 1e-3F * test::largest(expected.as_floats()), .relative = 1e-3F});
  return got;
}

TEST_CASE("activations by scope are TensorFlow's") {
  const auto data = test::shared_data();
  const auto graph = test::frozen_graph();
  if (!data || !graph) return;
  const auto golden = *data / "golden";
  const Weights w = open_embedder(*graph).scope("InceptionResnetV1");
  const NpyArray crops = read_npy(golden / "irv1_input_u8.npy");
  std::vector<float> x(Shape{1, 160, 160, 3}.size());
  prewhiten(ConstView<std::uint8_t>(crops.as<std::uint8_t>().data(), {1, 160, 160, 3}), View<float>(x.data(), {1, 160, 160, 3}));

  x = check_stage<Stem::Layer<0>>(golden, "Conv2d_1a_3x3", w, x, {1, 160, 160, 3});
  x = check_stage<Stem::Layer<1>>(golden, "Conv2d_2a_3x3", w, x, {1, 79, 79, 32});
  x = check_stage<Stem::Layer<2>>(golden, "Conv2d_2b_3x3", w, x, {1, 77, 77, 32});
  x = check_stage<Stem::Layer<3>>(golden, "MaxPool_3a_3x3", w, x, {1, 77, 77, 64});
  x = check_stage<Stem::Layer<4>>(golden, "Conv2d_3b_1x1", w, x, {1, 38, 38, 64});
  x = check_stage<Stem::Layer<5>>(golden, "Conv2d_4a_3x3", w, x, {1, 38, 38, 80});
  x = check_stage<Stem::Layer<6>>(golden, "Conv2d_4b_3x3", w, x, {1, 36, 36, 192});
  x = check_stage<Trunk::Layer<1>>(golden, "Mixed_5a", w, x, {1, 17, 17, 256});
  x = check_stage<Trunk::Layer<2>>(golden, "Mixed_6a", w, x, {1, 17, 17, 256});
  x = check_stage<Trunk::Layer<3>>(golden, "Mixed_6b", w, x, {1, 8, 8, 896});
  x = check_stage<Trunk::Layer<4>>(golden, "Mixed_7a", w, x, {1, 8, 8, 896});
  x = check_stage<Trunk::Layer<5>>(golden, "Mixed_8a", w, x, {1, 3, 3, 1792});
  x = check_stage<Trunk::Layer<6>>(golden, "Mixed_8b", w, x, {1, 3, 3, 1792});
  x = check_stage<GlobalAvgPool>(golden, "PreLogitsFlatten", w, x, {1, 3, 3, 1792});
  x = check_stage<Linear<"Bottleneck", 1792, 512, Identity>>(golden, "Bottleneck", w, x, {1, 1, 1, 1792});
}

TEST_CASE("embeddings are TensorFlow's, on every instruction set and number of threads") {
  const auto data = test::shared_data();
  const auto graph = test::frozen_graph();
  if (!data || !graph) return;
  const NpyArray crops = read_npy(*data / "golden/irv1_input_u8.npy");
  const NpyArray expected = read_npy(*data / "golden/irv1_embeddings.npy");
  const Weights weights = open_embedder(*graph);
  std::vector<float> x(Shape{24, 160, 160, 3}.size());
  const View<float> view(x.data(), {24, 160, 160, 3});
  prewhiten(ConstView<std::uint8_t>(crops.as<std::uint8_t>().data(), view.shape), view);
  test::for_each_isa([&](Isa isa) {
    // The portable build is slow; two crops prove as much.
    const int count = isa == Isa::scalar ? 2 : 24;
    for (const int threads : {1, 2}) {
      const Cpu cpu(threads, isa);
      Embedder embedder(load_embedder(weights, cpu), cpu);
      const std::vector<float> got = embedder.embed_normalised(view.images(0, count));
      for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        double dot = 0;
        for (std::size_t c = 0; c < 512; ++c) dot += double{got[i * 512 + c]} * double{expected.as_floats()[i * 512 + c]};
        CHECK_MESSAGE(dot >= 0.99999, name_of(isa), " with ", threads, " threads, crop ", i, ": cosine ", dot);
      }
    }
  });
}

TEST_CASE("after the first call nothing is allocated") {
  using Net = Sequential<Stem, Repeat<5, "Repeat/block35", Block35>>;
  const Weights weights = Weights::invented();
  const Cpu cpu(2);
  Session<Net, Cpu> session(std::make_shared<const Model<Net, Cpu>>(cpu, weights));
  const std::vector<float> x(Shape{1, 75, 75, 3}.size(), 0.5F);
  (void)session.forward(ConstView<float>(x.data(), {1, 75, 75, 3}));
  const std::size_t before = test::allocations();
  (void)session.forward(ConstView<float>(x.data(), {1, 75, 75, 3}));
  CHECK(test::allocations() == before);
}

}  // namespace
