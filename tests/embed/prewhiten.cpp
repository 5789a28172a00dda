#include <wajah/embed/prewhiten.hpp>
#include <wajah/error.hpp>

#include "check.hpp"
#include "image/pictures.hpp"

#include <vector>

using namespace wajah;

TEST_CASE("prewhitened crops have mean 0 and deviation 1") {
  const Image crop = test::noise(160, 160, 4);
  std::vector<float> y(crop.pixels.size());
  prewhiten(crop, {y.data(), {1, 160, 160, 3}});
  double sum = 0, squares = 0;
  for (const float v : y) sum += static_cast<double>(v), squares += static_cast<double>(v) * static_cast<double>(v);
  const auto count = static_cast<double>(y.size());
  CHECK(std::abs(sum / count) < 1e-6);
  CHECK(squares / count == doctest::Approx(1).epsilon(1e-6));
}

TEST_CASE("a plain crop becomes zeros, a nearly plain one is not blown up") {
  Image crop = test::plain(10, 10, 77, 77, 77);
  std::vector<float> y(300);
  const View<float> view(y.data(), {1, 10, 10, 3});
  prewhiten(crop, view);
  CHECK(std::ranges::all_of(y, [](float v) { return v == 0; }));
  crop.pixels[0] = 78;  // deviation sqrt(299) / 300 = 0.0576, just below 1 / sqrt(300) = 0.0577
  prewhiten(crop, view);
  CHECK(static_cast<double>(y[0]) == doctest::Approx((1 - 1.0 / 300) * std::sqrt(300.0)));
}

TEST_CASE("a smaller input takes the centre, measured over the whole") {
  const Image crop = test::noise(182, 182, 6);
  std::vector<float> whole(crop.pixels.size()), centre(160 * 160 * 3);
  prewhiten(crop, {whole.data(), {1, 182, 182, 3}});
  prewhiten(crop, {centre.data(), {1, 160, 160, 3}});
  for (const int row : {0, 1, 159}) {
    for (const int i : {0, 1, 479}) {
      CHECK(centre[static_cast<std::size_t>(row * 480 + i)] ==
            whole[static_cast<std::size_t>((row + 11) * 546 + 33 + i)]);
    }
  }
}

TEST_CASE("many crops are whitened one by one") {
  const Image first = test::noise(8, 8, 1), second = test::plain(8, 8, 10, 200, 30);
  std::vector<std::uint8_t> bytes = first.pixels;
  bytes.insert(bytes.end(), second.pixels.begin(), second.pixels.end());
  std::vector<float> together(bytes.size()), alone(first.pixels.size());
  const Shape one{1, 8, 8, 3};
  prewhiten(ConstView<std::uint8_t>(bytes.data(), one.images(2)), {together.data(), one.images(2)});
  prewhiten(second, {alone.data(), one});
  CHECK(std::equal(alone.begin(), alone.end(), together.begin() + 192));
}

TEST_CASE("inputs that do not fit are refused") {
  const Image crop = test::noise(100, 100);
  std::vector<float> y(160 * 160 * 3);
  CHECK_THROWS_WITH_AS(prewhiten(crop, {y.data(), {1, 160, 160, 3}}), doctest::Contains("100 x 100 pixels cannot fill"),
                       Error);
  CHECK_THROWS_AS(standardise(crop, imagenet, {y.data(), {1, 160, 160, 3}}), Error);
  CHECK_THROWS_AS(prewhiten(ConstView<std::uint8_t>(crop.pixels.data(), {1, 100, 100, 3}), {y.data(), {2, 50, 50, 3}}),
                  Error);
}

TEST_CASE("standardising uses each channel's own statistics") {
  const Image crop = test::plain(4, 4, 0, 128, 255);
  std::vector<float> y(48);
  standardise(crop, imagenet, {y.data(), {1, 4, 4, 3}});
  CHECK(y[0] == doctest::Approx(-0.485 / 0.229));
  CHECK(y[1] == doctest::Approx((128 / 255.0 - 0.456) / 0.224));
  CHECK(y[47] == doctest::Approx((1 - 0.406) / 0.225));
}
