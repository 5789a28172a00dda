// Enlarging a picture of bytes by INTER_AREA; private to the library.
#pragma once

#include <wajah/image.hpp>
#include <wajah/shape.hpp>

namespace wajah {

// Rows [first_row, first_row + y.h) of the picture at width x height, one side of which is larger than the picture's,
// as (byte - 127.5) * 0.0078125.
void enlarge_rows(const Image& image, int width, int height, int first_row, View<float> y);

}  // namespace wajah
