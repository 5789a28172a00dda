// The image pyramid: at which sizes P-Net, which sees 12 pixels, must look at a picture.
#pragma once

#include <cstdint>
#include <vector>

namespace wajah {

struct Level {
  double scale = 1;  // of the picture
  int width = 0, height = 0;
};

// Rows of a level that go through P-Net by themselves, [top, bottom); first_row is the first of its output.
struct LevelStrip {
  int top = 0, bottom = 0, first_row = 0;
};

// The fewest strips that cover the level's output and have no more than about `pixels` pixels each.
[[nodiscard]] std::vector<LevelStrip> strips_of(const Level& level, int pixels);

// Levels from the largest to the last whose smaller side holds 12 pixels, as detect_face.py computes them; none if the
// picture is smaller than min_size. Throws Error (input) if the first level would exceed `max_pixels`.
[[nodiscard]] std::vector<Level> pyramid_levels(int width, int height, double min_size, double factor,
                                                std::int64_t max_pixels = 160'000'000);

}  // namespace wajah
