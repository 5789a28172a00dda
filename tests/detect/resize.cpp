#include <wajah/detect/resize.hpp>

#include "check.hpp"
#include "image/pictures.hpp"

#include <cmath>
#include <random>
#include <string>
#include <vector>

#ifdef WAJAH_HAVE_OPENCV
#include <opencv2/imgproc.hpp>
#endif

using namespace wajah;

namespace {

std::vector<Cpu> devices() {
  std::vector<Cpu> all;
  for_each_cpu([&](const Cpu& cpu, const std::string&) { all.push_back(cpu); });
  return all;
}

std::vector<std::uint8_t> bytes_of_floats(const std::vector<float>& y) {
  std::vector<std::uint8_t> bytes;
  for (const float v : y) bytes.push_back(static_cast<std::uint8_t>(v * 128.0F + 127.5F));
  return bytes;
}

// In two strips, as the cascade asks for large levels.
std::vector<std::uint8_t> resized(const Cpu& cpu, const Image& image, int width, int height) {
  AreaResizer resizer(cpu);
  std::vector<float> y(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
  const int cut = height / 3;
  resizer.rows(image, width, height, 0, {y.data(), {1, cut, width, 3}});
  resizer.rows(image, width, height, cut, {y.data() + cut * width * 3, {1, height - cut, width, 3}});
  return bytes_of_floats(y);
}

std::uint64_t fingerprint(const std::vector<std::uint8_t>& bytes) {
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a
  for (const std::uint8_t b : bytes) hash = (hash ^ b) * 1099511628211U;
  return hash;
}

// What an area average is: the integral of the picture over the output pixel, divided by its area.
double average(const Image& image, double x1, double x2, double y1, double y2, int channel) {
  double sum = 0;
  for (int y = static_cast<int>(y1); y < std::min(image.height, static_cast<int>(std::ceil(y2))); ++y) {
    for (int x = static_cast<int>(x1); x < std::min(image.width, static_cast<int>(std::ceil(x2))); ++x) {
      const double width = std::min<double>(x2, x + 1) - std::max<double>(x1, x);
      const double height = std::min<double>(y2, y + 1) - std::max<double>(y1, y);
      sum += width * height * image.row(y)[3 * x + channel];
    }
  }
  return sum / ((x2 - x1) * (y2 - y1));
}

struct Size {
  int from_width, from_height, to_width, to_height;
};

}  // namespace

TEST_CASE("area resizing is the average over each output pixel, rounded") {
  const Image image = test::noise(37, 29);
  for (const Cpu& cpu : devices()) {
    const auto bytes = resized(cpu, image, 11, 13);
    double worst = 0;
    for (int y = 0; y < 13; ++y) {
      for (int x = 0; x < 11; ++x) {
        for (int c = 0; c < 3; ++c) {
          const double exact =
              average(image, x * 37 / 11.0, (x + 1) * 37 / 11.0, y * 29 / 13.0, (y + 1) * 29 / 13.0, c);
          worst = std::max(worst, std::abs(bytes[static_cast<std::size_t>((y * 11 + x) * 3 + c)] - exact));
        }
      }
    }
    CHECK(worst <= 0.501);
  }
}

TEST_CASE("2x2 areas round halves up, other whole ratios to even") {
  Image image(4, 2);
  image.row(0)[0] = 2;  // sum 2 over four: 0.5
  const Cpu cpu(1);
  CHECK(resized(cpu, image, 2, 1)[0] == 1);
  CHECK(resized(cpu, image, 1, 1)[0] == 0);  // 2 / 8
  image.row(0)[0] = 4;
  CHECK(resized(cpu, image, 1, 1)[0] == 0);  // 4 / 8: half to even
  image.row(0)[0] = 12;
  CHECK(resized(cpu, image, 1, 1)[0] == 2);  // 12 / 8 = 1.5
}

TEST_CASE("area resizing reproduces what OpenCV 4.6 gave for the same pictures") {
  struct Known {
    Size size;
    std::uint64_t hash;
  };
  const std::vector<Known> known{
#include "resize_golden.inc"
  };
  for (const Cpu& cpu : devices()) {
    for (const auto& [size, hash] : known) {
      CAPTURE(size.from_width);
      CAPTURE(size.to_width);
      const Image image = test::noise(size.from_width, size.from_height, 7);
      CHECK(fingerprint(resized(cpu, image, size.to_width, size.to_height)) == hash);
    }
  }
}

TEST_CASE("crops reach over the edge into black") {
  const Image image = test::plain(20, 10, 200, 100, 50);
  for (const Cpu& cpu : devices()) {
    AreaResizer resizer(cpu);
    std::vector<float> y(4 * 4 * 3);
    const CropWindow window{-8, -8, 16, 16};  // the lower right quarter is picture, two rows above its end
    resizer.crops(image, std::vector{window}, {y.data(), {1, 4, 4, 3}});
    CHECK(y[0] == doctest::Approx(-127.5 / 128));
    CHECK(y[(3 * 4 + 3) * 3] == doctest::Approx((200 - 127.5) / 128));
    CHECK(y[(3 * 4 + 1) * 3] == doctest::Approx(-127.5 / 128));
    const CropWindow outside{100, 100, 30, 30};
    resizer.crops(image, std::vector{outside}, {y.data(), {1, 4, 4, 3}});
    for (const float v : y) CHECK(v == doctest::Approx(-127.5 / 128));
  }
}

#ifdef WAJAH_HAVE_OPENCV

namespace {

Image padded(const Image& image, const CropWindow& window) {
  Image crop(window.width, window.height);
  for (int y = 0; y < crop.height; ++y) {
    for (int x = 0; x < crop.width; ++x) {
      const int from_x = window.x + x, from_y = window.y + y;
      if (from_x < 0 || from_y < 0 || from_x >= image.width || from_y >= image.height) continue;
      for (int c = 0; c < 3; ++c) crop.row(y)[3 * x + c] = image.row(from_y)[3 * from_x + c];
    }
  }
  return crop;
}

std::vector<std::uint8_t> by_opencv(const Image& image, int width, int height) {
  const cv::Mat from(image.height, image.width, CV_8UC3, const_cast<std::uint8_t*>(image.pixels.data()));
  cv::Mat to;
  cv::resize(from, to, {width, height}, 0, 0, cv::INTER_AREA);
  return {to.data, to.data + to.total() * 3};
}

std::vector<Size> sizes_to_compare() {
  std::vector<Size> sizes{{24, 24, 12, 12}, {64, 48, 32, 24}, {63, 49, 21, 7}, {30, 20, 30, 20},
                          {30, 20, 30, 10}, {1, 1, 5, 3},     {2, 9, 3, 9},    {100, 80, 150, 40},
                          {13, 13, 12, 13}, {512, 7, 4, 7},   {1, 40, 1, 9},   {640, 480, 384, 288}};
  std::mt19937 random(5);
  for (int i = 0; i < 150; ++i) {
    const int from_width = 1 + static_cast<int>(random() % 200), from_height = 1 + static_cast<int>(random() % 150);
    const bool larger = i % 3 == 0;
    const auto to = [&](int from) {
      return 1 + static_cast<int>(random() % static_cast<unsigned>(larger ? 2 * from : from));
    };
    sizes.push_back({from_width, from_height, to(from_width), to(from_height)});
  }
  return sizes;
}

}  // namespace

TEST_CASE("area resizing equals cv::resize bit for bit") {
  for (const Cpu& cpu : devices()) {
    for (const Size& size : sizes_to_compare()) {
      CAPTURE(size.from_width);
      CAPTURE(size.from_height);
      CAPTURE(size.to_width);
      CAPTURE(size.to_height);
      const Image image = test::noise(size.from_width, size.from_height, 7);
      const auto ours = resized(cpu, image, size.to_width, size.to_height);
      const auto theirs = by_opencv(image, size.to_width, size.to_height);
      CHECK(ours == theirs);
    }
  }
}

TEST_CASE("crops equal cv::resize of the padded window held in doubles") {
  const Image image = test::noise(90, 70, 3);
  std::mt19937 random(9);
  for (const Cpu& cpu : devices()) {
    AreaResizer resizer(cpu);
    for (const int side : {24, 48}) {
      std::vector<CropWindow> windows{
          {0, 0, 24, 24}, {-5, 60, 48, 48}, {-30, -30, 144, 144}, {10, 10, 12, 12}, {80, 3, 25, 24}};
      for (int i = 0; i < 40; ++i) {
        const int width = 1 + static_cast<int>(random() % 120);
        windows.push_back({static_cast<int>(random() % 120) - 30, static_cast<int>(random() % 100) - 30, width,
                           width + static_cast<int>(random() % 2)});
      }
      std::vector<float> y(windows.size() * static_cast<std::size_t>(side * side * 3));
      resizer.crops(image, windows, {y.data(), {static_cast<int>(windows.size()), side, side, 3}});
      for (std::size_t i = 0; i < windows.size(); ++i) {
        const Image window = padded(image, windows[i]);
        cv::Mat from(window.height, window.width, CV_8UC3, const_cast<std::uint8_t*>(window.pixels.data())), to;
        from.convertTo(from, CV_64FC3);
        cv::resize(from, to, {side, side}, 0, 0, cv::INTER_AREA);
        const auto* expected = to.ptr<double>();
        double worst = 0;
        for (int k = 0; k < side * side * 3; ++k) {
          const double got = y[i * static_cast<std::size_t>(side * side * 3) + static_cast<std::size_t>(k)];
          worst = std::max(worst, std::abs(got - (expected[k] - 127.5) / 128));
        }
        CAPTURE(windows[i].x);
        CAPTURE(windows[i].width);
        CAPTURE(windows[i].height);
        CHECK(worst < 2e-6);
      }
    }
  }
}

#endif
