// What a face means against the gallery of the moment, without recording anything: 1:N, and 1:1 against one person.
#pragma once

#include "attendance/service.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace wajah::attendance {

enum class Finding {
  known,
  unknown,
  ambiguous,  // it would be somebody, were there not another who resembles nearly as much: ask for a second factor
};
[[nodiscard]] std::string_view name_of(Finding finding);

// A face that is somebody by its similarity alone, but by no more than this over the next person, is ambiguous.
inline constexpr double least_margin = 0.05;

struct Identity {
  Finding finding = Finding::unknown;
  std::optional<Person> person;  // known: who; ambiguous: whom it resembles most
  double similarity = 0, confidence = 0, margin = 0;
};

[[nodiscard]] Identity identify(const Gallery& gallery, std::span<const float> embedding, const ServiceOptions& rules);

struct Claim {
  bool accepted = false;
  double similarity = 0, confidence = 0;
};

// Whether the face is that person's; says nothing about anybody else. A person without photos is nobody's face.
[[nodiscard]] Claim verify_claim(const Gallery& gallery, PersonId person, std::span<const float> embedding,
                                 const ServiceOptions& rules);

// Whether two faces are one person's: there is nobody else to be told from.
[[nodiscard]] Claim compare(std::span<const float> a, std::span<const float> b, const ServiceOptions& rules);

}  // namespace wajah::attendance
