// Likeness: how much a face resembles people, by cosine and without any training; what an enrolment is checked with.
#pragma once

#include "attendance/store.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace wajah::attendance {

using FaceVector = std::span<const float>;  // an embedding, unit length

struct PersonFaces {
  PersonId person = 0;
  std::vector<FaceVector> faces;  // one at least
};

// The embeddings of everybody who is enrolled, as they were at one moment.
struct EnrolledFaces {
  std::vector<PersonFaces> people;
  std::vector<std::shared_ptr<const std::vector<float>>> owners;  // of what `people` look at
};

// The mean cosine of `face` to the better half of `faces`, as a Classifier has it: one bad photo among them does no
// harm. Needs one of them at least.
[[nodiscard]] double similarity(FaceVector face, std::span<const FaceVector> faces);

struct Resemblance {
  PersonId person = 0;
  double similarity = 0, margin = 0;  // margin: how much less everybody else resembles; similarity if there is nobody
};

// Whom `face` resembles most; nothing for no people.
[[nodiscard]] std::optional<Resemblance> nearest(FaceVector face, std::span<const PersonFaces> people);

// Which of the new photos show the person whom `known` ones show, or where there are none, whom most of the new ones
// show. Photos whose similarity is `alike` belong together, and so does what is linked by way of others; of these a
// photo must then be alike to the better half of the rest, because among many photos one accidental link is soon found.
// Where two people are shown equally often, the answer is false for all.
[[nodiscard]] std::vector<bool> same_person(std::span<const FaceVector> photos, std::span<const FaceVector> known,
                                            const std::function<bool(double)>& alike);

}  // namespace wajah::attendance
