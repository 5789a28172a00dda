// Pictures for tests, made from numbers.
#pragma once

#include <wajah/image.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <random>

namespace wajah::test {

inline Image noise(int width, int height, unsigned state = 1) {
  std::mt19937 random(state);
  Image image(width, height);
  for (std::uint8_t& value : image.pixels) value = static_cast<std::uint8_t>(random() >> 24);
  return image;
}

inline Image plain(int width, int height, std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      std::uint8_t* pixel = image.row(y) + 3 * x;
      pixel[0] = red, pixel[1] = green, pixel[2] = blue;
    }
  }
  return image;
}

// Smooth, and different in every channel and direction, so that a turned or mirrored copy shows.
inline Image slopes(int width, int height) {
  Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      std::uint8_t* pixel = image.row(y) + 3 * x;
      pixel[0] = static_cast<std::uint8_t>(255 * x / std::max(1, width - 1));
      pixel[1] = static_cast<std::uint8_t>(255 * y / std::max(1, height - 1));
      pixel[2] = static_cast<std::uint8_t>(255 * (x + y) / std::max(1, width + height - 2));
    }
  }
  return image;
}

// Greatest difference of two values at the same place; 256 when the sizes differ.
inline int difference(const Image& a, const Image& b) {
  if (a.width != b.width || a.height != b.height) return 256;
  int worst = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) worst = std::max(worst, std::abs(a.pixels[i] - b.pixels[i]));
  return worst;
}

}  // namespace wajah::test
