// Drawing on a picture, for showing what was found. Whatever lies outside the picture is left out.
#pragma once

#include <wajah/detect/box.hpp>
#include <wajah/image.hpp>

#include <array>
#include <cstdint>
#include <span>

namespace wajah {

using Colour = std::array<std::uint8_t, 3>;  // red, green, blue

// The outline of a box, `thickness` pixels wide, growing inwards.
void draw_box(Image& image, const Box& box, Colour colour, int thickness = 2);

// A filled disc about a point.
void draw_point(Image& image, Point centre, Colour colour, int radius = 2);

// Boxes in green, landmarks in red, lines as wide as the picture's size asks for.
void draw_faces(Image& image, std::span<const Face> faces);

}  // namespace wajah
