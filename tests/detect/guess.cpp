// Guesses against the networks they stand for.
#include <wajah/convert/open.hpp>
#include <wajah/detect/guess_crops.hpp>
#include <wajah/detect/resize.hpp>
#include <wajah/model.hpp>
#include <wajah/networks/mtcnn.hpp>

#include "check.hpp"
#include "random_shapes.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <vector>

using namespace wajah;

namespace {

// A picture of soft spots, which has light and dark places of every size, between guard pages.
struct Picture {
  GuardedMapOf<std::uint8_t> bytes;
  Image image;

  Picture(int width, int height, Touch touch, std::mt19937& random)
      : bytes({1, height, width, 3}, 0, touch), image(width, height) {
    std::uniform_real_distribution<double> unit(0, 1);
    std::vector<std::array<double, 6>> waves(12);
    for (auto& wave : waves)
      wave = {unit(random) / 3, unit(random) / 3, 6 * unit(random), unit(random), unit(random), unit(random)};
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        for (std::size_t c = 0; c < 3; ++c) {
          double sum = 128;
          for (const auto& wave : waves) sum += 40 * wave[3 + c] * std::sin(wave[0] * x + wave[1] * y + wave[2]);
          const auto byte = static_cast<std::uint8_t>(std::clamp(sum, 0.0, 255.0));
          image.pixels[static_cast<std::size_t>((y * width + x) * 3) + c] = byte;
          bytes.view().pixel(0, y, x)[c] = byte;
        }
      }
    }
  }
};

std::vector<CropWindow> windows_in(int width, int height, int count, std::mt19937& random) {
  std::vector<CropWindow> windows{{0, 0, width, height}, {-width, 0, width, height}, {width - 1, height - 1, 40, 40}};
  std::uniform_int_distribution<int> x(-20, width), y(-20, height), side(1, 120);
  while (static_cast<int>(windows.size()) < count) {
    const int s = side(random);
    windows.push_back({x(random), y(random), s, s + static_cast<int>(windows.size() % 3) - 1 > 0 ? s : 1});
  }
  return windows;
}

std::vector<CropGuess> guess(const Cpu& cpu, const GuessNet& net, ConstView<std::uint8_t> x,
                             const std::vector<CropWindow>& windows) {
  std::vector<CropGuess> guesses(windows.size());
  const std::ptrdiff_t each = guess_crops_scratch(net, x.shape.w);
  GuardedMap scratch({1, 1, 1, static_cast<int>(each) * cpu.threads()}, 0, Touch::last);
  guess_crops(cpu,
              {&net, x, windows.data(), static_cast<int>(windows.size()), guesses.data(), scratch.view().data, each});
  return guesses;
}

struct Errors {
  double worst = 0, regression = 0, spread = 0;  // of logits and corners; how far the true logits lie apart
};

template <class Net>
Errors errors_of(const Cpu& cpu, const Weights& weights, const Picture& picture, const std::vector<CropWindow>& windows,
                 const std::vector<CropGuess>& guesses, int side) {
  Session<Net, Cpu> session(std::make_shared<const Model<Net, Cpu>>(cpu, weights));
  const Shape shape{static_cast<int>(windows.size()), side, side, 3};
  std::vector<float> crops(shape.size());
  AreaResizer(cpu).crops(picture.image, windows, {crops.data(), shape});
  const ConstView<float> y = session.forward({crops.data(), shape});
  Errors errors;
  double least = 1e9, most = -1e9;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const float* p = y.pixel(static_cast<int>(i), 0, 0);
    const double difference = std::log(static_cast<double>(p[1]) / static_cast<double>(p[0]));
    least = std::min(least, difference), most = std::max(most, difference);
    errors.worst = std::max(errors.worst, std::abs(difference - static_cast<double>(guesses[i].difference)));
    for (int k = 0; k < 4; ++k) {
      const double error = static_cast<double>(p[2 + k]) - static_cast<double>(guesses[i].regression[k]);
      errors.regression = std::max(errors.regression, std::abs(error));
    }
  }
  errors.spread = most - least;
  return errors;
}

// On every instruction set near the network, and the same to a rounding on those that take the same weights.
template <class Net>
void check_guesses(CropGuesser (*make)(const Weights&, Isa), const Weights& weights, int side, double most_error,
                   double most_regression) {
  std::mt19937 random(11);
  for (const auto& [width, height] : {std::pair{300, 200}, {61, 47}, {3, 2}, {1, 1}}) {
    CAPTURE(width);
    const Picture picture(width, height, width == 61 ? Touch::first : Touch::last, random);
    const std::vector<CropWindow> windows = windows_in(width, height, 41, random);
    std::map<int, std::vector<CropGuess>> of_weights;  // by the largest
    for_each_cpu([&](const Cpu& cpu, const std::string& name) {
      CAPTURE(name);
      const CropGuesser guesser = make(weights, cpu.isa());
      const std::vector<CropGuess> guesses = guess(cpu, guesser.net(), picture.bytes.view(), windows);
      const Errors errors = errors_of<Net>(cpu, weights, picture, windows, guesses, side);
      CHECK(errors.worst < most_error);
      CHECK(errors.regression < most_regression);
      if (width == 300) CHECK(errors.spread > 1);
      const auto& first = of_weights.try_emplace(largest_byte_weight(cpu.isa()), guesses).first->second;
      // A byte on a rounding boundary may fall to either side.
      double apart = 0;
      for (std::size_t i = 0; i < guesses.size(); ++i) {
        apart = std::max(apart, std::abs(static_cast<double>(guesses[i].difference - first[i].difference)));
      }
      CHECK(apart < most_error / 3);
    });
  }
}

}  // namespace

TEST_CASE("guesses are near what R-Net and O-Net say") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data beside the source tree");
    return;
  }
  const Weights weights = open_mtcnn(*data / "mtcnn");
  check_guesses<RNet>(&CropGuesser::of_rnet, weights.scope("rnet"), 24, 0.8, 0.06);
  check_guesses<ONet>(&CropGuesser::of_onet, weights.scope("onet"), 48, 0.7, 0.04);
}

TEST_CASE("guess_crops: random shapes") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data beside the source tree");
    return;
  }
  const Weights weights = open_mtcnn(*data / "mtcnn");
  std::map<std::pair<bool, int>, CropGuesser> guessers;  // of R-Net or not, by the largest weight
  const auto guesser_for = [&](bool rnet, Isa isa) -> const GuessNet& {
    const auto known = guessers.find({rnet, largest_byte_weight(isa)});
    if (known != guessers.end()) return known->second.net();
    auto made =
        rnet ? CropGuesser::of_rnet(weights.scope("rnet"), isa) : CropGuesser::of_onet(weights.scope("onet"), isa);
    return guessers.emplace(std::pair(rnet, largest_byte_weight(isa)), std::move(made)).first->second.net();
  };
  Draw draw(41);
  for (int i = shapes_to_draw(12); i > 0; --i) {
    const int width = draw.up_to(200), height = draw.up_to(150), count = draw.between(3, crops_per_guess + 3);
    const Picture picture(width, height, draw.touch(), draw.random());
    const std::vector<CropWindow> windows = windows_in(width, height, count, draw.random());
    const bool rnet = draw.chance();
    for_each_isa(draw, [&](const Cpu& cpu, const std::string& name) {
      CAPTURE(name);
      CAPTURE(width);
      CAPTURE(height);
      CAPTURE(count);
      const GuessNet& net = guesser_for(rnet, cpu.isa());
      const auto expected = guess(Cpu(1, Isa::scalar), net, picture.bytes.view(), windows);
      const auto got = guess(cpu, net, picture.bytes.view(), windows);
      // A byte on a rounding boundary may fall to either side.
      for (std::size_t k = 0; k < got.size(); ++k) CHECK(std::abs(got[k].difference - expected[k].difference) < 0.25F);
    });
  }
}
