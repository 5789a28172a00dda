#include <wajah/gallery_draw.hpp>

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

namespace wajah {
namespace {

std::vector<std::size_t> shuffled(std::size_t count, std::mt19937_64& random) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  // std::shuffle may draw differently in another standard library.
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  return order;
}

EnrolledDraw enrol(std::size_t person, std::size_t count, std::size_t photos, std::mt19937_64& random) {
  const std::vector<std::size_t> order = shuffled(count, random);
  const std::size_t kept = count == 1 ? 1 : std::min(photos, count - 1);
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(kept);
  return {person, {order.begin(), middle}, {middle, order.end()}};
}

}  // namespace

std::vector<EnrolledDraw> draw_enrolment(std::span<const std::size_t> photo_counts, std::size_t people,
                                         std::size_t photos, std::uint64_t random_state, Fill fill) {
  std::mt19937_64 random(random_state);
  std::vector<std::size_t> order = shuffled(photo_counts.size(), random);
  // A stable sort keeps the order of chance among equals.
  std::ranges::stable_sort(order, std::greater<>(),
                           [&](std::size_t person) { return std::min(photo_counts[person], photos + 1); });
  const std::size_t least = fill == Fill::one_photo ? 1 : 2;
  std::vector<EnrolledDraw> drawn;
  for (const std::size_t person : order) {
    if (drawn.size() == people || photo_counts[person] < least) break;
    drawn.push_back(enrol(person, photo_counts[person], photos, random));
  }
  return drawn;
}

std::vector<DrawnPhoto> draw_strangers(std::span<const std::size_t> photo_counts, std::span<const std::size_t> away,
                                       std::uint64_t random_state) {
  std::mt19937_64 random(~random_state);  // not the draw of those who are enrolled
  std::vector<bool> out(photo_counts.size());
  for (const std::size_t person : away) out[person] = true;
  std::vector<std::vector<DrawnPhoto>> turns;
  for (const std::size_t person : shuffled(photo_counts.size(), random)) {
    if (out[person]) continue;
    const std::vector<std::size_t> photos = shuffled(photo_counts[person], random);
    if (turns.size() < photos.size()) turns.resize(photos.size());
    for (std::size_t turn = 0; turn < photos.size(); ++turn) turns[turn].push_back({person, photos[turn]});
  }
  std::vector<DrawnPhoto> strangers;
  for (const auto& turn : turns) strangers.insert(strangers.end(), turn.begin(), turn.end());
  return strangers;
}

}  // namespace wajah
