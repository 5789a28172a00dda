// Who is enrolled with which photos, and who stays a stranger, when recognition is measured. Every draw is the same for
// the same random_state, on every machine. photo_counts has one number a person.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace wajah {

struct EnrolledDraw {
  std::size_t person = 0;
  std::vector<std::size_t> photos, probes;  // to enrol, and those kept back to recognise
};

// Whether people of one photo, who have no probe, make up for those who are missing.
enum class Fill { none, one_photo };

// `people` of those who have two photos or more: those with more than `photos` photos before the others, who enrol what
// they have but one. Fewer if there are not as many. The first of a longer draw are the shorter one.
[[nodiscard]] std::vector<EnrolledDraw> draw_enrolment(std::span<const std::size_t> photo_counts, std::size_t people,
                                                       std::size_t photos, std::uint64_t random_state,
                                                       Fill fill = Fill::none);

struct DrawnPhoto {
  std::size_t person = 0, photo = 0;
};

// All photos of everybody but those in `away`: one of each person, then a second of each who has it, and so on.
[[nodiscard]] std::vector<DrawnPhoto> draw_strangers(std::span<const std::size_t> photo_counts,
                                                     std::span<const std::size_t> away, std::uint64_t random_state);

}  // namespace wajah
