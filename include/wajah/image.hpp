// Image: an upright RGB picture, 8 bits a channel, rows dense and top to bottom.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace wajah {

struct Image {
  int width = 0, height = 0;
  std::vector<std::uint8_t> pixels;  // height x width x 3

  Image() = default;
  Image(int w, int h)
      : width(w), height(h), pixels(static_cast<std::size_t>(w) * static_cast<std::size_t>(h) * 3) {}

  [[nodiscard]] bool empty() const { return pixels.empty(); }
  [[nodiscard]] const std::uint8_t* row(int y) const { return pixels.data() + offset(y); }
  [[nodiscard]] std::uint8_t* row(int y) { return pixels.data() + offset(y); }

 private:
  [[nodiscard]] std::size_t offset(int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width) * 3;
  }
};

}  // namespace wajah
