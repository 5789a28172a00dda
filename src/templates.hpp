// Templates: one direction for each person, made of all their photos.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace wajah {

// The unit vector that photos (rows of unit length) stand for: their mean, in which from three photos on each counts as
// much as it agrees with most of the others (its median cosine to them), so that one wrong photo counts for little.
// Photos that cancel out give a vector of zeros, which resembles nobody.
[[nodiscard]] std::vector<float> make_template(std::span<const float> rows, std::size_t dimensions);

// The cosine of a unit vector to each template, row by row.
[[nodiscard]] std::vector<double> similarities(std::span<const float> templates, std::span<const float> x);

// How much less the best of all others resembles; the similarity itself if there is no other.
template <class Similarities>
[[nodiscard]] double margin_of(const Similarities& similarities, std::size_t chosen) {
  using Similarity = typename Similarities::value_type;
  if (similarities.size() == 1) return static_cast<double>(similarities[chosen]);
  Similarity other = -std::numeric_limits<Similarity>::infinity();
  for (std::size_t i = 0; i < similarities.size(); ++i) {
    if (i != chosen) other = std::max(other, similarities[i]);
  }
  return static_cast<double>(similarities[chosen]) - static_cast<double>(other);
}

}  // namespace wajah
