#include <wajah/embed/align.hpp>
#include <wajah/embed/crop.hpp>
#include <wajah/error.hpp>

#include "original_resize.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

namespace wajah {

namespace {

constexpr int smallest = 16, largest = 1024;
constexpr int border = 22;              // of the original's enrolment crop: 182 pixels, of which 160 are used
constexpr double original_margin = 44;  // photo pixels that the original adds to an enrolment box, half on each side

constexpr Landmarks arcface{
    {{38.2946, 51.6963}, {73.5318, 51.5014}, {56.0252, 71.7366}, {41.5493, 92.3655}, {70.7299, 92.2041}}};
constexpr int arcface_size = 112;

constexpr std::array<std::pair<CropProfile, std::string_view>, 3> profile_names{
    {{CropProfile::aligned, "aligned"}, {CropProfile::margin, "margin"}, {CropProfile::original, "original"}}};

std::string_view name_of(CropProfile profile) {
  return std::ranges::find(profile_names, profile, [](const auto& entry) { return entry.first; })->second;
}

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  fail(ErrorKind::model,
       "crop \"{}\": {}; expected e.g. \"margin 160 0.22\", \"original 160\" or \"aligned 160 x1 y1 .. x5 y5\"", text,
       why);
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

double number_of(std::string_view text, std::string_view word) {
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size() || !std::isfinite(value))
    refuse(text, "a number is malformed");
  return value;
}

CropProfile profile_of(std::string_view text, std::string_view word) {
  const auto* found = std::ranges::find(profile_names, word, [](const auto& entry) { return entry.second; });
  if (found == profile_names.end()) refuse(text, "the profile is unknown");
  return found->first;
}

int size_of_crop(std::string_view text, std::string_view word) {
  const double size = number_of(text, word);
  if (size < smallest || size > largest || size != std::floor(size))
    refuse(text, "the size is not a whole number of 16 to 1024");
  return static_cast<int>(size);
}

Landmarks points_of(std::string_view text, std::span<const std::string_view> words) {
  Landmarks points;
  for (std::size_t i = 0; i < points.size(); ++i) {
    points[i] = {number_of(text, words[2 * i]), number_of(text, words[2 * i + 1])};
  }
  const bool same = std::ranges::all_of(points, [&](const Point& p) { return p == points[0]; });
  if (same) refuse(text, "the landmarks lie in one place");
  return points;
}

void require_area(const Box& box) {
  const bool finite = std::isfinite(box.width()) && std::isfinite(box.height());
  if (!finite || box.width() <= 0 || box.height() <= 0) {
    fail(ErrorKind::input, "a face of {} x {} pixels cannot be cut out", box.width(), box.height());
  }
}

Image crop_aligned(const Image& photo, const Face& face, const Crop& crop) {
  return warp(photo, fit_similarity(face.points, crop.points).inverse(), crop.size, crop.size);
}

Image crop_with_margin(const Image& photo, const Face& face, const Crop& crop) {
  require_area(face.box);
  const double width = face.box.width() * (1 + crop.margin), height = face.box.height() * (1 + crop.margin);
  const Point centre = face.box.centre();
  const double x = width / crop.size, y = height / crop.size;
  // The corners come to lie on pixel 0 and on pixel `size`, as when the training crops were warped.
  const Affine to_photo{x, 0, centre.x - width / 2, 0, y, centre.y - height / 2};
  return warp(photo, to_photo, crop.size, crop.size);
}

Image crop_as_original(const Image& photo, const Face& face, const Crop& crop, CropUse use) {
  require_area(face.box);
  const double grow = use == CropUse::enrol ? original_margin / 2 : 0;
  const auto pixel = [](double v, int end) { return static_cast<int>(std::clamp(v, 0.0, static_cast<double>(end))); };
  const int left = pixel(face.box.x1 - grow, photo.width), right = pixel(face.box.x2 + grow, photo.width);
  const int top = pixel(face.box.y1 - grow, photo.height), bottom = pixel(face.box.y2 + grow, photo.height);
  if (left >= right || top >= bottom) fail(ErrorKind::input, "a face outside the photo cannot be cut out");
  Image large = resize_as_pillow(photo, left, top, right, bottom, crop.size + border);
  return use == CropUse::enrol ? large : resize_as_opencv_cubic(large, crop.size);
}

}  // namespace

Landmarks landmark_template(int size, double zoom, double drop) {
  if (zoom == 0) zoom = static_cast<double>(size) / arcface_size;
  Landmarks points = arcface;
  for (Point& p : points) {
    p = {(p.x - arcface_size / 2.0) * zoom + size / 2.0, (p.y - arcface_size / 2.0) * zoom + size / 2.0 + drop};
  }
  return points;
}

Crop aligned_crop(int size, double zoom, double drop) {
  return {CropProfile::aligned, size, 0, landmark_template(size, zoom, drop)};
}

Crop margin_crop(int size, double margin) { return {CropProfile::margin, size, margin, landmark_template(size)}; }

Crop original_crop() { return {CropProfile::original, 160, 0, landmark_template(160)}; }

std::string to_string(const Crop& crop) {
  std::string text = fmt::format("{} {}", name_of(crop.profile), crop.size);
  if (crop.profile == CropProfile::margin) text += fmt::format(" {}", crop.margin);
  if (crop.profile == CropProfile::aligned) {
    for (const Point& p : crop.points) text += fmt::format(" {} {}", p.x, p.y);
  }
  return text;
}

Crop parse_crop(std::string_view text) {
  const std::vector<std::string_view> words = words_of(text);
  if (words.size() < 2) refuse(text, "profile and size are missing");
  const CropProfile profile = profile_of(text, words[0]);
  const int size = size_of_crop(text, words[1]);
  const std::span<const std::string_view> rest = std::span(words).subspan(2);
  const std::size_t expected = profile == CropProfile::aligned ? 10 : profile == CropProfile::margin ? 1 : 0;
  if (rest.size() != expected) refuse(text, "the number of values is wrong");
  Crop crop{profile, size, 0, landmark_template(size)};
  if (profile == CropProfile::margin) crop.margin = number_of(text, rest[0]);
  if (crop.margin < 0 || crop.margin > 4) refuse(text, "the margin is not within 0 to 4");
  if (profile == CropProfile::aligned) crop.points = points_of(text, rest);
  return crop;
}

Image make_crop(const Image& photo, const Face& face, const Crop& crop, CropUse use) {
  if (photo.empty()) fail(ErrorKind::input, "a face cannot be cut out of an empty picture");
  switch (crop.profile) {
    case CropProfile::aligned: return crop_aligned(photo, face, crop);
    case CropProfile::margin: return crop_with_margin(photo, face, crop);
    case CropProfile::original: return crop_as_original(photo, face, crop, use);
  }
  fail(ErrorKind::model, "unknown crop profile");
}

}  // namespace wajah
