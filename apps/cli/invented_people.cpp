#include "cli/invented_people.hpp"

#include "cli/random_weights.hpp"

#include <algorithm>
#include <cmath>

namespace wajah::cli {
namespace {

constexpr float scatter = 0.7F;  // of photos around their person, in lengths of the person's direction

void scale_to_length_one(std::span<float> values) {
  double sum = 0;
  for (const float v : values) sum += static_cast<double>(v) * static_cast<double>(v);
  const auto factor = static_cast<float>(sum > 0 ? 1 / std::sqrt(sum) : 0);
  for (float& v : values) v *= factor;
}

}  // namespace

InventedPeople::InventedPeople(std::size_t people, std::size_t photos, std::size_t dimensions, std::uint64_t seed) {
  rows_.reserve(people * photos * dimensions);
  for (std::size_t person = 0; person < people; ++person) {
    const std::vector<float> direction = random_values(dimensions, 1, seed);
    for (std::size_t photo = 0; photo < photos; ++photo) {
      std::vector<float> row = random_values(dimensions, scatter, seed);
      std::transform(row.begin(), row.end(), direction.begin(), row.begin(), std::plus<>());
      scale_to_length_one(row);
      rows_.insert(rows_.end(), row.begin(), row.end());
      labels_.push_back(static_cast<int>(person));
    }
  }
}

}  // namespace wajah::cli
