#include "attendance/enrolment_checks.hpp"

#include <wajah/error.hpp>
#include <wajah/text.hpp>

#include <utility>

namespace wajah::attendance {
namespace {

PhotoFault fault_of(QualityIssue issue) {
  switch (issue) {
    case QualityIssue::unclear: return PhotoFault::unclear;
    case QualityIssue::too_small: return PhotoFault::too_small;
    case QualityIssue::blurred: return PhotoFault::blurred;
    case QualityIssue::dark: return PhotoFault::dark;
    case QualityIssue::bright: return PhotoFault::bright;
    case QualityIssue::low_contrast: return PhotoFault::low_contrast;
    case QualityIssue::turned: return PhotoFault::turned;
    case QualityIssue::cut_off: return PhotoFault::cut_off;
  }
  return PhotoFault::unclear;
}

}  // namespace

Strictness parse_strictness(std::string_view text) {
  if (text == "off") return Strictness::off;
  if (text == "standard") return Strictness::standard;
  if (text == "strict") return Strictness::strict;
  fail(ErrorKind::usage, "strictness {}: expected off, standard or strict", quote(text));
}

const EnrolmentChecks& checks_of(Strictness strictness) {
  static const EnrolmentChecks off;
  static const EnrolmentChecks standard{standard_limits, 0.5, 0.1, 0.8};
  static const EnrolmentChecks strict{strict_limits, 0.25, 0.3, 0.7};
  if (strictness == Strictness::off) return off;
  return strictness == Strictness::strict ? strict : standard;
}

std::vector<PhotoVerdict> faults_of(const Analysis& analysis, const EnrolmentChecks& checks) {
  if (analysis.faces.empty()) return {{PhotoFault::no_face, "no face was found", {}}};
  std::vector<PhotoVerdict> faults;
  if (analysis.rival > checks.rival) {
    faults.push_back(
        {PhotoFault::several_faces, "several faces, and none stands out; let one person be in the photo", {}});
  }
  const FaceMeasures& measures = analysis.faces.front().measures;
  for (const QualityIssue issue : judge(measures, checks.quality).issues) {
    faults.push_back({fault_of(issue), reason_of(issue, measures, checks.quality), {}});
  }
  return faults;
}

std::optional<PhotoVerdict> fault_of(const Analysis& analysis, const EnrolmentChecks& checks) {
  auto faults = faults_of(analysis, checks);
  if (faults.empty()) return std::nullopt;
  return std::move(faults.front());
}

}  // namespace wajah::attendance
