// The ladder of P-Net: the same pyramid through every way of computing it, naive to fastest; processor time of one
// thread, least of some runs. See pnet.md.
#include <wajah/detect/pyramid.hpp>
#include <wajah/detect/resize.hpp>
#include <wajah/detect/shrink.hpp>
#include <wajah/model.hpp>
#include <wajah/networks/mtcnn.hpp>
#include <wajah/detect/scan_pnet.hpp>

#include <cmath>
#include <cstdio>
#include <ctime>
#include <functional>
#include <random>

using namespace wajah;

namespace {

constexpr int width = 1920, height = 1080, runs = 7;

double milliseconds(const std::function<void()>& work, int times = runs) {
  double least = HUGE_VAL;
  for (int i = 0; i < times; ++i) {
    timespec begin{}, end{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    work();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    least = std::min(least, 1e3 * static_cast<double>(end.tv_sec - begin.tv_sec) +
                                1e-6 * static_cast<double>(end.tv_nsec - begin.tv_nsec));
  }
  return least;
}

std::vector<float> numbers(std::mt19937& random, std::size_t count, float scale) {
  std::uniform_real_distribution<float> number(-scale, scale);
  std::vector<float> values(count);
  for (float& v : values) v = number(random);
  return values;
}

Weights random_weights(std::mt19937& random) {
  Weights::Builder builder("random P-Net");
  const auto add = [&](const char* name, std::vector<std::int64_t> shape, std::size_t count, float scale) {
    builder.add(name, std::move(shape), numbers(random, count, scale));
  };
  add("conv1/weights", {3, 3, 3, 10}, 270, 0.3F), add("conv1/biases", {10}, 10, 0.1F), add("PReLU1/alpha", {10}, 10, 1);
  add("conv2/weights", {3, 3, 10, 16}, 1440, 0.2F), add("conv2/biases", {16}, 16, 0.1F), add("PReLU2/alpha", {16}, 16, 1);
  add("conv3/weights", {3, 3, 16, 32}, 4608, 0.1F), add("conv3/biases", {32}, 32, 0.1F), add("PReLU3/alpha", {32}, 32, 1);
  add("conv4-1/weights", {1, 1, 32, 2}, 64, 0.3F), add("conv4-1/biases", {2}, 2, 0.1F);
  add("conv4-2/weights", {1, 1, 32, 4}, 128, 0.3F), add("conv4-2/biases", {4}, 4, 0.1F);
  return std::move(builder).build();
}

// conv3, two thirds of the work, as its definition says.
void naive_conv3(ConstView<float> x, const PNetWeights& net, View<float> y) {
  for (int row = 0; row < y.shape.h; ++row) {
    for (int column = 0; column < y.shape.w; ++column) {
      for (int out = 0; out < 32; ++out) {
        float sum = net.bias3[out];
        for (int k = 0; k < 144; ++k) {
          sum += x.pixel(0, row + k / 48, column + k / 16 % 3)[k % 16] * net.conv3[k * 32 + out];
        }
        y.pixel(0, row, column)[out] = sum < 0 ? sum * net.slope3[out] : sum;
      }
    }
  }
}

struct Pyramid {
  std::vector<Level> levels = pyramid_levels(width, height, 20, 0.709);
  std::vector<std::vector<float>> floats;
  std::vector<std::vector<std::uint8_t>> bytes;
  double outputs = 0;

  explicit Pyramid(std::mt19937& random) {
    for (const Level& level : levels) {
      const auto pixels = static_cast<std::size_t>(level.width * level.height);
      floats.push_back(numbers(random, pixels * 3, 1));
      bytes.emplace_back(pixels * 4);
      for (auto& b : bytes.back()) b = static_cast<std::uint8_t>(random());
      outputs += pnet_outputs(level.width) * pnet_outputs(level.height);
    }
  }
};

void say(const char* step, double ms, double macs) {
  std::printf("%-58s %8.1f ms %7.1f GFLOP/s\n", step, ms, 2e-6 * macs / ms);
}

void layers(Session<PNet, Cpu>& session, const Pyramid& pyramid, int rows) {
  for (std::size_t i = 0; i < pyramid.levels.size(); ++i) {
    const Level& level = pyramid.levels[i];
    for (int top = 0; top + pnet_window <= level.height; top += rows) {
      const int some = std::min(rows + pnet_window - pnet_stride, level.height - top);
      static_cast<void>(session.forward({pyramid.floats[i].data() + top * level.width * 3, {1, some, level.width, 3}}));
    }
  }
}

void scan(const Cpu& cpu, const PNetWeights& net, const Pyramid& pyramid, std::vector<PNetHit>& hits) {
  std::vector<PNetStrip> strips;
  PNetHit* room = hits.data();
  for (std::size_t i = 0; i < pyramid.levels.size(); ++i) {
    const Level& level = pyramid.levels[i];
    strips.push_back({{pyramid.bytes[i].data(), {1, level.height, level.width, 4}}, 0, room});
    room += pnet_outputs(level.width) * pnet_outputs(level.height);
  }
  int next = 0;
  const std::ptrdiff_t each = scan_pnet_scratch(pyramid.levels.front().width, pyramid.levels.front().height);
  std::vector<float> scratch(static_cast<std::size_t>(each));
  scan_pnet(cpu, {&net, nullptr, strips.data(), static_cast<int>(strips.size()), &next, 1e6F, scratch.data(), each});
}

void resize_by_level(const Cpu& cpu, const Image& image, Pyramid& pyramid) {
  AreaResizer resizer(cpu);
  for (std::size_t i = 0; i < pyramid.levels.size(); ++i) {
    const Level& level = pyramid.levels[i];
    resizer.rows(image, level.width, level.height, 0, {pyramid.floats[i].data(), {1, level.height, level.width, 3}});
  }
}

void resize_at_once(const Cpu& cpu, const Image& image, Pyramid& pyramid) {
  std::vector<ResizePlan> plans;
  std::vector<ShrinkLevel> jobs;
  std::ptrdiff_t all = 0;
  for (const Level& level : pyramid.levels) plans.push_back(resize_plan(width, height, level.width, level.height, true));
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const Level& level = pyramid.levels[i];
    jobs.push_back({plans[i].columns.view(), plans[i].rows.view(),
                    {pyramid.bytes[i].data(), {1, level.height, level.width, 4}}, plans[i].scale, plans[i].rounding});
    all += level.width;
  }
  const int count = static_cast<int>(jobs.size());
  std::vector<ShrinkWalk> walks(jobs.size());
  const std::ptrdiff_t each = shrink_scratch(width, pyramid.levels.front().width, all, count);
  std::vector<float> scratch(static_cast<std::size_t>(each));
  shrink(cpu, {{image.pixels.data(), {1, height, width, 3}}, jobs.data(), count, walks.data(), scratch.data(), each});
}

}  // namespace

int main() {
  std::mt19937 random(1);
  const Weights weights = random_weights(random);
  const auto net = load_pnet_weights(weights);
  Pyramid pyramid(random);
  const double outputs = pyramid.outputs, macs = outputs * (4 * 270 + 1440 + 4608 + 192);
  const Level& small = pyramid.levels[6];
  const int rows = pnet_outputs(small.height), columns = pnet_outputs(small.width);
  std::vector<float> x = numbers(random, static_cast<std::size_t>((rows + 2) * (columns + 2) * 16), 1);
  std::vector<float> y(static_cast<std::size_t>(rows * columns * 32));
  const double naive = milliseconds([&] {
    naive_conv3({x.data(), {1, rows + 2, columns + 2, 16}}, *net, {y.data(), {1, rows, columns, 32}});
  });
  say("0 conv3 alone, by its definition (one level, scaled up)", naive * outputs / (rows * columns), outputs * 4608);

  const Cpu cpu(1);
  const auto model = std::make_shared<const Model<PNet, Cpu>>(cpu, weights);
  Session<PNet, Cpu> session(model);
  say("1 layer by layer, whole levels", milliseconds([&] { layers(session, pyramid, 1 << 20); }), macs);
  say("2 layer by layer, strips of 64 rows", milliseconds([&] { layers(session, pyramid, 64); }), macs);
  std::vector<PNetHit> hits(static_cast<std::size_t>(outputs));
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
    if (isa > best_isa()) continue;
    const Cpu device(1, isa);
    const std::string step = std::string("3 all layers at once, ") + std::string(name_of(isa));
    say(step.c_str(), milliseconds([&] { scan(device, *net, pyramid, hits); }), macs);
  }
  Image image(width, height);
  for (auto& b : image.pixels) b = static_cast<std::uint8_t>(random());
  std::printf("%-58s %8.1f ms\n", "pyramid level by level", milliseconds([&] { resize_by_level(cpu, image, pyramid); }));
  std::printf("%-58s %8.1f ms\n", "pyramid in one walk", milliseconds([&] { resize_at_once(cpu, image, pyramid); }));
}
