#include "attendance/likeness.hpp"

#include <wajah/cosine.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <numeric>
#include <utility>

namespace wajah::attendance {
namespace {

// Photos by group; every photo begins as a group of its own.
class Groups {
 public:
  explicit Groups(std::size_t photos) : parents_(photos) {
    std::iota(parents_.begin(), parents_.end(), std::size_t{0});
  }

  [[nodiscard]] std::size_t of(std::size_t photo) const {
    while (parents_[photo] != photo) photo = parents_[photo];
    return photo;
  }
  void join(std::size_t a, std::size_t b) { parents_[std::max(of(a), of(b))] = std::min(of(a), of(b)); }

 private:
  std::vector<std::size_t> parents_;
};

// The group with most photos, unless another has as many.
std::optional<std::size_t> largest(const Groups& groups, std::size_t photos) {
  std::vector<std::size_t> sizes(photos);
  for (std::size_t i = 0; i < photos; ++i) ++sizes[groups.of(i)];
  const auto most = std::ranges::max_element(sizes);
  if (most == sizes.end() || std::ranges::count(sizes, *most) > 1) return std::nullopt;
  return static_cast<std::size_t>(most - sizes.begin());
}

}  // namespace

double similarity(FaceVector face, std::span<const FaceVector> faces) {
  std::vector<double> cosines;
  for (const FaceVector other : faces) cosines.push_back(cosine(face, other));
  const auto half = static_cast<std::ptrdiff_t>((cosines.size() + 1) / 2);
  std::partial_sort(cosines.begin(), cosines.begin() + half, cosines.end(), std::greater<>());
  return std::accumulate(cosines.begin(), cosines.begin() + half, 0.0) / static_cast<double>(half);
}

std::optional<Resemblance> nearest(FaceVector face, std::span<const PersonFaces> people) {
  std::optional<Resemblance> best, next;
  for (const PersonFaces& person : people) {
    const Resemblance now{person.person, similarity(face, person.faces), 0};
    if (!best || now.similarity > best->similarity) {
      next = std::exchange(best, now);
    } else if (!next || now.similarity > next->similarity) {
      next = now;
    }
  }
  if (best) best->margin = next ? best->similarity - next->similarity : best->similarity;
  return best;
}

std::vector<bool> same_person(std::span<const FaceVector> photos, std::span<const FaceVector> known,
                              const std::function<bool(double)>& alike) {
  const std::size_t count = photos.size() + (known.empty() ? 0 : 1);  // the known photos are one more, at the end
  Groups groups(count);
  for (std::size_t i = 0; i < photos.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (alike(cosine(photos[i], photos[j]))) groups.join(i, j);
    }
    if (!known.empty() && alike(similarity(photos[i], known))) groups.join(i, count - 1);
  }
  const std::optional<std::size_t> person = known.empty() ? largest(groups, count) : groups.of(count - 1);
  std::vector<bool> linked(photos.size());
  for (std::size_t i = 0; i < photos.size(); ++i) linked[i] = person == groups.of(i);

  std::vector<bool> same = linked;
  for (std::size_t i = 0; i < photos.size(); ++i) {
    std::vector<FaceVector> others(known.begin(), known.end());
    for (std::size_t j = 0; j < photos.size(); ++j) {
      if (j != i && linked[j]) others.push_back(photos[j]);
    }
    if (linked[i] && !others.empty()) same[i] = alike(similarity(photos[i], others));
  }
  return same;
}

}  // namespace wajah::attendance
