// Calibration: fits an embedder's decision curve on people who are in no test.
#pragma once

#include <wajah/decision_curve.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace wajah {

// Two embeddings of unit length of each usable photo of one person: cut out as for enrolling and as for recognising.
struct CalibrationPhoto {
  std::vector<float> enrolled, recognised;
};
using CalibrationPerson = std::vector<CalibrationPhoto>;

// genuine and strangers: faces that were held against a gallery, in `galleries` galleries; namesakes: pairs of people
// whose faces are so much alike that they are taken for one person under two names, and not held against each other.
struct Calibration {
  DecisionCurve curve;
  std::size_t people = 0, photos = 0, galleries = 0, genuine = 0, strangers = 0, namesakes = 0;
};

// Draws galleries of 1 to 1,000 people with 1 to 5 photos each and holds other photos of these people and all other
// people against them. Least squares fit how high a score is that a share p of the strangers exceeds, for shares down to
// DecisionCurve::strangers and as far as a gallery has strangers enough: this gives the weights of photos and people.
// The slope is that of a logistic regression (Platt 1999) held at acceptance_level on that score. The margin weighs half
// as much as the similarity. Needs 20 people, 10 of them with two photos or more, and embeddings of one length. Throws
// Error (input) otherwise.
[[nodiscard]] Calibration calibrate(std::span<const CalibrationPerson> people, std::uint64_t random_state = 1);

}  // namespace wajah
