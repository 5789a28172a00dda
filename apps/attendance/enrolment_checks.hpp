// What a photo must be like before somebody is remembered by it. Poor photos do harm for years: they make strangers
// resemble the person.
#pragma once

#include "attendance/engine.hpp"
#include "attendance/refusal.hpp"

#include <wajah/quality.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::attendance {

// off: any photo with a face is taken, as the original service does. standard refuses what spoils recognition, about
// one ordinary photo in a hundred (docs/enrolment.md); strict is for photos taken for the purpose, where another
// attempt costs nothing.
enum class Strictness { off, standard, strict };

// "off", "standard", "strict". Throws Error (usage) on anything else.
[[nodiscard]] Strictness parse_strictness(std::string_view text);

// Confidences are those of the model's decision curve, so they mean the same for every model.
struct EnrolmentChecks {
  QualityLimits quality{};
  double rival = 1e9;    // largest prominence of another face beside the one that is taken
  double same = 0;       // least confidence that two photos show one person
  double duplicate = 2;  // a face is somebody else's from this confidence on
};

[[nodiscard]] const EnrolmentChecks& checks_of(Strictness strictness);

struct PhotoVerdict {
  PhotoFault fault = PhotoFault::no_face;
  std::string reason;
  std::optional<std::int64_t> resembles{};
};

// What is wrong with a photo by itself (its analysis is one for enrolling), the gravest first.
[[nodiscard]] std::vector<PhotoVerdict> faults_of(const Analysis& analysis, const EnrolmentChecks& checks);

// The gravest, or nothing.
[[nodiscard]] std::optional<PhotoVerdict> fault_of(const Analysis& analysis, const EnrolmentChecks& checks);

}  // namespace wajah::attendance
