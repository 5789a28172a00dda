// The detector with a card under it, which here is the host: pyramid and crops to the bit, and the faces of the CPU.
#include <wajah/card_watch.hpp>
#include <wajah/convert/open.hpp>
#include <wajah/detect/cuda_detector.hpp>
#include <wajah/detect/resize.hpp>
#include <wajah/embed/align.hpp>
#include <wajah/image_io.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "check.hpp"
#include "cuda_host/brought.hpp"
#include "cuda_host/emulated_cuda.hpp"

namespace wajah {
namespace {

Image noise(int width, int height, unsigned seed = 3) {
  std::mt19937 random(seed);
  Image image(width, height);
  for (std::uint8_t& byte : image.pixels) byte = static_cast<std::uint8_t>(random() % 256);
  return image;
}

// Levels of the pyramid, dense.
std::vector<std::vector<std::uint8_t>> levels_of(const EmulatedCuda& cuda, const Image& image,
                                                 const std::vector<std::pair<int, int>>& sizes) {
  const Buffer photo = up(cuda, image.pixels);
  ResizeLevelsArgs args{.x = {photo.as<std::uint8_t>(), {1, image.height, image.width, 3}}};
  std::vector<Buffer> memory;
  for (const auto& [width, height] : sizes) {
    LevelPixels level{nullptr, width, height};
    memory.push_back(cuda.allocate(level.bytes()));
    level.data = memory.back().as<std::uint8_t>();
    args.levels[args.count++] = level;
  }
  resize_levels(cuda, args);
  std::vector<std::vector<std::uint8_t>> got;
  for (const LevelPixels& level : std::span(args.levels).first(sizes.size())) {
    got.emplace_back();
    for (int y = 0; y < level.height; ++y) {
      got.back().insert(got.back().end(), level.row(y), level.row(y) + std::ptrdiff_t{3} * level.width);
      CHECK(
          std::all_of(level.row(y) + std::ptrdiff_t{3} * level.width, level.row(y + 1), [](int b) { return b == 0; }));
    }
  }
  return got;
}

TEST_CASE("cuda kernels: levels of the pyramid are the CPU's to the bit, many at once") {
  const EmulatedCuda cuda;
  AreaResizer resizer{Cpu()};
  using Sizes = std::vector<std::pair<int, int>>;
  for (const auto& [width, height, sizes] :
       {std::tuple{41, 60, Sizes{{41, 60}, {41, 59}, {40, 60}, {29, 43}, {21, 30}, {12, 17}}},
        {40, 60, Sizes{{20, 30}, {40, 30}, {10, 15}, {13, 20}}},
        {60, 45, Sizes{{20, 15}, {30, 15}, {20, 45}}},
        {60, 44, Sizes{{30, 11}, {15, 11}}},
        {101, 77, Sizes{{61, 47}, {43, 33}, {31, 24}, {22, 17}, {16, 12}}},
        {97, 31, Sizes{{97, 31}, {13, 12}}},
        {200, 13, Sizes{{127, 12}, {129, 13}, {128, 12}}},
        {33, 128, Sizes{{17, 16}, {31, 64}, {32, 65}, {33, 63}}},
        {700, 300, Sizes{{28, 12}, {1, 1}, {2, 3}}}}) {
    const Image image = noise(width, height);
    const auto got = levels_of(cuda, image, sizes);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const auto [to_width, to_height] = sizes[i];
      const Shape shape{1, to_height, to_width, 3};
      std::vector<float> expected(shape.size()), numbers;
      resizer.rows(image, to_width, to_height, 0, {expected.data(), shape});
      for (const std::uint8_t byte : got[i]) numbers.push_back((static_cast<float>(byte) - 127.5F) * 0.0078125F);
      CHECK_MESSAGE(numbers == expected, width << "x" << height << " to " << to_width << "x" << to_height);
    }
  }
}

std::vector<float> resized(const EmulatedCuda& cuda, const Image& image, const std::vector<CropWindow>& windows,
                           Shape shape) {
  const Buffer photo = up(cuda, image.pixels), y = cuda.allocate(shape.size() * sizeof(float));
  const Buffer where = up(cuda, windows);
  resize_windows(cuda, ResizeWindowsArgs{{photo.as<std::uint8_t>(), {1, image.height, image.width, 3}},
                                         where.as<CropWindow>(),
                                         {y.as<float>(), shape}});
  std::vector<float> got(shape.size());
  cuda.download(got.data(), y.as<>(), y.size());
  return got;
}

TEST_CASE("cuda kernels: crops are the CPU's to the bit, also where they reach beyond the picture") {
  const EmulatedCuda cuda;
  AreaResizer resizer{Cpu()};
  const Image image = noise(90, 71);
  const std::vector<CropWindow> windows{{0, 0, 24, 24},   {5, 7, 48, 48},   {3, 2, 72, 48},       {10, 20, 31, 31},
                                        {-9, -4, 40, 40}, {70, 50, 63, 63}, {-20, -30, 150, 150}, {30, 30, 1, 1},
                                        {88, 69, 5, 5},   {40, 10, 23, 47}, {200, 10, 30, 30},    {12, 1, 96, 12}};
  for (const int side : {24, 48}) {
    const Shape shape{static_cast<int>(windows.size()), side, side, 3};
    std::vector<float> expected(shape.size());
    resizer.crops(image, windows, {expected.data(), shape});
    const auto got = resized(cuda, image, windows, shape);
    for (int n = 0; n < shape.n; ++n) {
      const auto one = static_cast<std::ptrdiff_t>(shape.images(1).size());
      CHECK_MESSAGE(std::equal(got.begin() + n * one, got.begin() + (n + 1) * one, expected.begin() + n * one),
                    "crop " << n << " of side " << side);
    }
  }
}

void check_faces(const std::string& name, const std::vector<Face>& got, const std::vector<Face>& expected) {
  INFO(name);
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    INFO("face " << i);
    CHECK(got[i].score == doctest::Approx(expected[i].score).epsilon(1e-4));
    const Box &a = got[i].box, &b = expected[i].box;
    for (const auto& [x, y] : {std::pair{a.x1, b.x1}, {a.y1, b.y1}, {a.x2, b.x2}, {a.y2, b.y2}}) {
      CHECK(x == doctest::Approx(y).epsilon(1e-4));
    }
    for (std::size_t k = 0; k < 5; ++k) {
      CHECK(got[i].points[k].x == doctest::Approx(expected[i].points[k].x).epsilon(1e-4));
      CHECK(got[i].points[k].y == doctest::Approx(expected[i].points[k].y).epsilon(1e-4));
    }
  }
}

// On invented weights and pictures, some of which have to be enlarged.
template <class Device>
void check_detector(const Device& device) {
  const Cpu cpu;
  const Weights weights = Weights::invented();
  Detector expected(load_detector(weights, cpu), cpu);
  Detector got(load_cuda_detector(weights, device, 16), cpu);
  std::size_t faces = 0;
  for (const auto& [width, height, min_size] :
       {std::tuple{61, 40, 20.0}, {50, 71, 24.0}, {33, 30, 10.0}, {61, 40, 20.0}}) {
    const Image image = noise(width, height, static_cast<unsigned>(width));
    const DetectorOptions options{min_size, {0.5F, 0.4F, 0.4F}, 0.709};
    const auto found = expected.detect(image, options);
    check_faces(fmt::format("{}x{}", width, height), got.detect(image, options), found);
    faces += found.size();
  }
  CHECK(faces > 3);
  CHECK(got.detect(noise(11, 9), {}).empty());
  CHECK_THROWS_AS((void)got.detect(Image(), {}), Error);
  CHECK_THROWS_AS((void)got.detect(noise(40, 40), {0, {0.6F, 0.7F, 0.7F}, 0.709}), Error);
}

TEST_CASE("cuda detector: the CPU's faces in invented pictures, also of levels that enlarge them") {
  check_detector(EmulatedCuda());
}

#ifdef WAJAH_HAVE_CUDA
TEST_CASE("on a card, small: the detector") {
  if (const auto card = small_card()) check_detector(*card);
}
#endif

TEST_CASE("cuda detector: the CPU's faces where there are more levels than one launch takes") {
  const Cpu cpu;
  const Weights weights = Weights::invented();
  const DetectorOptions options{16, {0.53F, 0.55F, 0.4F}, 0.98};
  const Image image = noise(33, 38, 46);
  REQUIRE(pyramid_levels(image.width, image.height, options.min_size, options.factor).size() > most_levels);
  const auto expected = Detector(load_detector(weights, cpu), cpu).detect(image, options);
  REQUIRE_FALSE(expected.empty());
  check_faces("many levels", Detector(load_cuda_detector(weights, EmulatedCuda(), 16), cpu).detect(image, options),
              expected);
}

TEST_CASE("cuda detector: bringing the picture is a stage of its own, once and before all others") {
  Detector detector(load_cuda_detector(Weights::invented(), EmulatedCuda(), 16), Cpu());
  std::vector<DetectorStage> stages;
  (void)detector.detect(noise(61, 40), {20, {0.5F, 0.4F, 0.4F}, 0.709},
                        [&](const StageEnd& end) { stages.push_back(end.stage); });
  CHECK(stages == std::vector{DetectorStage::upload, DetectorStage::pnet, DetectorStage::proposals, DetectorStage::rnet,
                              DetectorStage::onet});
}

// What comes down from a card.
struct Downloads {
  static inline std::size_t count = 0, bytes = 0;

  static const CudaDriver& driver() {
    static const CudaDriver counting = [] {
      CudaDriver driver = host_driver();
      driver.copy = [](void* to, const void* from, std::size_t size, CopyDirection direction, void* stream) {
        if (direction == CopyDirection::from_card) {
          bytes += size;
          ++count;
        }
        return host_driver().copy(to, from, size, direction, stream);
      };
      return driver;
    }();
    return counting;
  }
  static void begin() { count = bytes = 0; }
};

// How many boxes there are, after each network, and the faces: no place, no row of a network.
TEST_CASE("cuda detector: boxes stay on the card from the picture to the faces") {
  const EmulatedCuda cuda(Arithmetic::fp32, Downloads::driver());
  Detector detector(load_cuda_detector(Weights::invented(), cuda, 512), Cpu());
  Downloads::begin();
  const auto faces = detector.detect(noise(61, 40), {20, {0.5F, 0.4F, 0.4F}, 0.709});
  REQUIRE_FALSE(faces.empty());
  CHECK(Downloads::count == 4);
  CHECK(Downloads::bytes == 3 * sizeof(CascadeNumbers) + faces.size() * sizeof(CardFace));
}

// Of a picture that is plain but for its corner nearly all places have one score. Where others are higher, numpy
// changes its method of sorting, which the card cannot follow: the places come down, and there is room for 512 of them.
TEST_CASE("cuda detector: where the card cannot order the boxes, the CPU does") {
  const Cpu cpu;
  const Weights weights = Weights::invented();
  const EmulatedCuda cuda(Arithmetic::fp32, Downloads::driver());
  Detector expected(load_detector(weights, cpu), cpu), got(load_cuda_detector(weights, cuda, 512), cpu);
  Image image(61, 40);
  std::ranges::fill(image.pixels, std::uint8_t{128});
  const Image corner = noise(14, 14);
  for (int row = 0; row < corner.height; ++row) {
    std::copy_n(corner.pixels.begin() + row * 14 * 3, 14 * 3, image.pixels.begin() + row * image.width * 3);
  }
  const DetectorOptions options{12, {0.01F, 0.485F, 0.4F}, 0.5};
  const auto faces = expected.detect(image, options);
  REQUIRE_FALSE(faces.empty());
  Downloads::begin();
  check_faces("a corner of noise", got.detect(image, options), faces);
  CHECK(Downloads::bytes > 512 * sizeof(PNetPlace));
}

TEST_CASE("cuda detector: the faces of a photo with MTCNN's own weights, and on the CPU once the card is lost") {
  const auto data = shared_data();
  if (!data) {
    MESSAGE("skipped: no shared data");
    return;
  }
  static bool lost = false;
  static const CudaDriver driver = [] {
    CudaDriver breakable = host_driver();
    breakable.query = [](void* stream, bool* done) { return lost ? 1 : host_driver().query(stream, done); };
    return breakable;
  }();
  const Cpu cpu;
  const Weights weights = open_mtcnn(*data / "mtcnn");
  const Image photo = read_image(*data / "photos" / "multiface.jpg");
  const double shrunk = 200.0 / photo.width;
  const Image small =
      warp(photo, Affine::similarity(1 / shrunk, 0, 0, 0), 200, static_cast<int>(photo.height * shrunk));
  const auto on_cpu = load_detector(weights, cpu);
  std::vector<std::string> reasons;
  const auto watch =
      std::make_shared<CardWatch>([&](CardWatch::Event, const CardReport& card) { reasons.push_back(card.reason); });
  Detector expected(on_cpu, cpu);
  Detector got(with_spare(load_cuda_detector(weights, EmulatedCuda(Arithmetic::fp32, driver)), on_cpu, watch), cpu);
  const auto faces = expected.detect(small, enrol_options);
  REQUIRE_FALSE(faces.empty());
  check_faces("multiface", got.detect(small, enrol_options), faces);
  CHECK(reasons.empty());
  lost = true;
  check_faces("on the CPU", got.detect(small, enrol_options), faces);
  CHECK(reasons.size() == 1);
  lost = false;
}

}  // namespace
}  // namespace wajah
