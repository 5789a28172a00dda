#include "attendance/refusal.hpp"

namespace wajah::attendance {

std::string_view name_of(Cause cause) {
  switch (cause) {
    case Cause::bad_nik: return "bad_nik";
    case Cause::name_not_upper: return "name_not_upper";
    case Cause::bad_name: return "bad_name";
    case Cause::no_files: return "no_files";
    case Cause::too_many_files: return "too_many_files";
    case Cause::undecodable: return "undecodable";
    case Cause::no_face: return "no_face";
    case Cause::unusable_photos: return "unusable_photos";
    case Cause::duplicate_face: return "duplicate_face";
    case Cause::unknown_person: return "unknown_person";
    case Cause::inactive: return "inactive";
    case Cause::consent_missing: return "consent_missing";
    case Cause::busy: return "busy";
    case Cause::late: return "late";
    case Cause::stopping: return "stopping";
    case Cause::training: return "training";
    case Cause::unknown_site: return "unknown_site";
    case Cause::unknown_event: return "unknown_event";
    case Cause::not_found: return "not_found";
    case Cause::bad_value: return "bad_value";
    case Cause::conflict: return "conflict";
  }
  return "unknown";
}

std::string_view name_of(PhotoFault fault) {
  switch (fault) {
    case PhotoFault::undecodable: return "undecodable";
    case PhotoFault::no_face: return "no_face";
    case PhotoFault::several_faces: return "several_faces";
    case PhotoFault::unclear: return "unclear";
    case PhotoFault::too_small: return "too_small";
    case PhotoFault::blurred: return "blurred";
    case PhotoFault::dark: return "dark";
    case PhotoFault::bright: return "bright";
    case PhotoFault::low_contrast: return "low_contrast";
    case PhotoFault::turned: return "turned";
    case PhotoFault::cut_off: return "cut_off";
    case PhotoFault::not_same_person: return "not_same_person";
    case PhotoFault::duplicate_face: return "duplicate_face";
  }
  return "unknown";
}

ErrorKind Refusal::kind_of(Cause cause) {
  switch (cause) {
    case Cause::busy:
    case Cause::late:
    case Cause::stopping: return ErrorKind::device;
    case Cause::training: return ErrorKind::model;
    default: return ErrorKind::input;
  }
}

}  // namespace wajah::attendance
