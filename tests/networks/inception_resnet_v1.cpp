// Inception-ResNet-v1 against TensorFlow's activations and embeddings of the same frozen graph (shared data).
#include "allocations.hpp"
#include "check.hpp"
#include "golden_graph.hpp"

#include <doctest/doctest.h>

#include <wajah/convert/npy.hpp>
#include <wajah/convert/open.hpp>
#include <wajah/describe.hpp>
#include <wajah/embed/embedder.hpp>
#include <wajah/embed/prewhiten.hpp>
#include <wajah/model.hpp>
#include <wajah/networks/inception_resnet_v1.hpp>

#include <cmath>
#include <optional>

namespace {

using namespace wajah;
using namespace wajah::inception_resnet_v1;

TEST_CASE("the network's cost is the published one") {
  std::size_t macs = 0, layers = 0;
  for (const LayerInfo& layer : describe<InceptionResnetV1>({1, 160, 160, 3})) {
    macs += layer.macs;
    ++layers;
  }
  CHECK(macs / 1'000'000 == 1417);
  CHECK(layers == 132 + 3 + 1 + 1);  // convolutions, max pools, the average, the bottleneck
}

// Runs stages on what the stage before gave and compares with TensorFlow's activation of that scope.
struct Stages {
  const GoldenInput& input;
  std::vector<float> x;
  Shape shape;

  template <class Stage>
  void check(const char* scope) {
    const Weights weights = input.weights.scope("InceptionResnetV1");
    Session<Stage, Cpu> session(std::make_shared<const Model<Stage, Cpu>>(Cpu(), weights));
    const View<float> y = session.forward(ConstView<float>(x.data(), shape));
    x.assign(y.data, y.data + y.shape.size());
    shape = y.shape;
    const auto expected = read_npy(input.folder / fmt::format("irv1_act_{}.npy", scope)).values<float>();
    float largest = 0;
    for (const float value : expected) largest = std::max(largest, std::abs(value));
    check_close(scope, x, expected, {1e-3 * static_cast<double>(largest) / 100, 1e-3});
  }
};

TEST_CASE("activations by scope are TensorFlow's") {
  const auto input = GoldenInput::open();
  if (!input) return;
  const Shape one = input->shape.images(1);
  Stages stages{*input, {input->x.begin(), input->x.begin() + static_cast<std::ptrdiff_t>(one.size())}, one};
  stages.check<Early::Layer<0>>("Conv2d_1a_3x3");
  stages.check<Early::Layer<1>>("Conv2d_2a_3x3");
  stages.check<Early::Layer<2>>("Conv2d_2b_3x3");
  stages.check<Early::Layer<3>>("MaxPool_3a_3x3");
  stages.check<Early::Layer<4>>("Conv2d_3b_1x1");
  stages.check<Early::Layer<5>>("Conv2d_4a_3x3");
  stages.check<Early::Layer<6>>("Conv2d_4b_3x3");
  stages.check<Early::Layer<7>>("Mixed_5a");
  stages.check<Early::Layer<8>>("Mixed_6a");
  stages.check<Late::Layer<0>>("Mixed_6b");
  stages.check<Late::Layer<1>>("Mixed_7a");
  stages.check<Late::Layer<2>>("Mixed_8a");
  stages.check<Late::Layer<3>>("Mixed_8b");
  stages.check<GlobalAvgPool>("PreLogitsFlatten");
  stages.check<Linear<"Bottleneck", 1792, 512, Identity>>("Bottleneck");
}

TEST_CASE("embeddings are TensorFlow's, on every instruction set and number of threads") {
  const auto input = GoldenInput::open();
  if (!input) return;
  const auto expected = read_npy(input->folder / "irv1_embeddings.npy").values<float>();
  for_each_cpu([&](const Cpu& cpu, const std::string& name) {
    const int count = cpu.isa() == Isa::scalar ? 2 : 24;  // the portable build is slow; two crops prove as much
    Embedder embedder(load_embedder(input->weights, cpu), cpu);
    const std::vector<float> got = embedder.embed_normalised(ConstView<float>(input->x.data(), input->shape.images(count)));
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      double cosine = 0;
      for (std::size_t c = i * 512; c < (i + 1) * 512; ++c) cosine += double{got[c]} * double{expected[c]};
      CHECK_MESSAGE(cosine >= 0.99999, name << ", crop " << i << ": cosine " << cosine);
    }
  });
}

TEST_CASE("direct sums: the same embeddings but for rounding, the same bits on any number of threads") {
  const auto input = GoldenInput::open();
  if (!input) return;
  const ConstView<float> x(input->x.data(), input->shape.images(2));
  const auto embed = [&](Precision precision, const Cpu& cpu) {
    return Embedder(load_embedder(input->weights, cpu, precision), cpu).embed_normalised(x);
  };
  const Cpu cpu(1);
  const std::vector<float> direct = embed(Precision::fp32_direct, cpu);
  CHECK(direct == embed(Precision::fp32_direct, Cpu(3)));
  check_close("embeddings", embed(Precision::fp32, cpu), direct, {1e-5, 0});
}

TEST_CASE("converting to safetensors changes no bit of an embedding") {
  const auto input = GoldenInput::open();
  if (!input) return;
  const std::filesystem::path file = std::filesystem::temp_directory_path() / fmt::format("wajah_{}.safetensors", getpid());
  write_safetensors(input->weights, file);
  const ConstView<float> x(input->x.data(), input->shape.images(3));
  const Cpu cpu;
  Embedder from_graph(load_embedder(input->weights, cpu), cpu), from_file(load_embedder(open_embedder(file), cpu), cpu);
  CHECK(from_graph.embed_normalised(x) == from_file.embed_normalised(x));
  CHECK(from_graph.card().id == from_file.card().id);
  std::filesystem::remove(file);
}

TEST_CASE("after the first call nothing is allocated") {
  using Net = Join<Stem, Sequential<Repeat<5, "Repeat/block35", Block35>>>;
  const Cpu cpu(2);
  Session<Net, Cpu> session(std::make_shared<const Model<Net, Cpu>>(cpu, Weights::invented()));
  const std::vector<float> x(Shape{1, 75, 75, 3}.size(), 0.5F);
  (void)session.forward(ConstView<float>(x.data(), {1, 75, 75, 3}));
  const std::size_t before = test::allocations();
  (void)session.forward(ConstView<float>(x.data(), {1, 75, 75, 3}));
  CHECK(test::allocations() == before);
}

}  // namespace
