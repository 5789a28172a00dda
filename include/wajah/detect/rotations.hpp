// Faces in pictures that lie on their side or stand on their head, although nothing in the file says so.
#pragma once

#include <wajah/detect/box.hpp>
#include <wajah/detect/detector.hpp>
#include <wajah/image.hpp>

#include <vector>

namespace wajah {

// The picture turned clockwise by `turns` quarters, 0 to 3.
[[nodiscard]] Image turned(const Image& image, int turns);

// A face of turned(image, turns), in pixels of the image itself, which is width x height. The landmarks keep their
// order: the left eye is the one that is left when the face is upright.
[[nodiscard]] Face turned_back(const Face& face, int turns, int width, int height);

struct TurnedFaces {
  int turns = 0;
  std::vector<Face> faces;  // in pixels of turned(image, turns), best first
};

// As Detector::detect; only where no face scores 0.995, the picture is turned by one, two and three quarters as well,
// and the turn with the highest score is taken. "Nothing found" alone would not do: of LFW's photos lying on their side
// or head MTCNN finds a doubtful face in a half, and the right turn is found in 97 to 100 %; of upright ones 1 % is
// turned in vain. Turned pictures are searched for faces of a tenth of the shorter side with a score of 0.98 and more,
// so that they cost little and noise is not taken for a face because it looks like one from some side. Throws as
// Detector::detect.
[[nodiscard]] TurnedFaces detect_any_rotation(Detector& detector, const Image& image, const DetectorOptions& options);

}  // namespace wajah
