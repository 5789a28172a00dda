// Crop: how a face is cut out of a photo for the embedding network. One value, stored with the model's card and with
// every classifier, used for enrolling and recognising alike, so that a mismatch cannot be expressed.
#pragma once

#include <wajah/detect/box.hpp>
#include <wajah/image.hpp>

#include <string>
#include <string_view>

namespace wajah {

enum class CropProfile {
  aligned,   // similarity transform that lays the five landmarks on the template
  margin,    // the box enlarged about its centre, upright
  original,  // what the original service did, which differs between enrolling and recognising
};

// Where ArcFace (Deng et al. 2019) puts the landmarks in a crop of 112 pixels, enlarged `zoom` times about the centre
// of a crop of `size` pixels and moved `drop` pixels down. zoom 0 means size / 112.
[[nodiscard]] Landmarks landmark_template(int size, double zoom = 0, double drop = 0);

struct Crop {
  CropProfile profile = CropProfile::aligned;
  int size = 160;                             // pixels of the square crop the network sees
  double margin = 0;                          // profile margin: fraction of the box added, half on each side
  Landmarks points = landmark_template(160);  // profile aligned: where the landmarks come to lie

  friend bool operator==(const Crop&, const Crop&) = default;
};

[[nodiscard]] Crop aligned_crop(int size, double zoom = 0, double drop = 0);
[[nodiscard]] Crop margin_crop(int size, double margin);
[[nodiscard]] Crop original_crop();  // 160 pixels

// One line of text that parse_crop() reads back to an equal value, e.g. "margin 160 0.22", "original 160",
// "aligned 160 x1 y1 .. x5 y5".
[[nodiscard]] std::string to_string(const Crop& crop);

// Throws Error (model) on anything to_string() does not write, sizes outside 16 to 1024, or landmarks in one place.
[[nodiscard]] Crop parse_crop(std::string_view text);

// Only the original profile tells these apart.
enum class CropUse { enrol, recognise };

// The crop of one face, `crop.size` pixels square, except that the original profile's enrolment crop keeps its border:
// it is 182 pixels, of which prewhiten() takes the centre after measuring the whole. Pixels outside the photo are black
// (original: the box is clipped). Throws Error (input) if the face has no area.
[[nodiscard]] Image make_crop(const Image& photo, const Face& face, const Crop& crop, CropUse use = CropUse::recognise);

}  // namespace wajah
