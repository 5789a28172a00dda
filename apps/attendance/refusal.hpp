// Refusal: an Error that also names the rule which said no, so that whoever translates it (HTTP, command line) need not
// read the message. The message is for people and holds no path, no SQL and no other exception's text.
#pragma once

#include <wajah/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wajah::attendance {

enum class Cause {
  bad_nik,         // not [A-Za-z0-9][A-Za-z0-9._-]{0,63}
  name_not_upper,  // str.isupper() of Python says no
  bad_name,        // not UTF-8, too long, or with control characters
  no_files,
  too_many_files,
  undecodable,      // a file is not a picture, or beyond the limits; nothing was stored
  no_face,          // no photo of the upload shows a face; nothing was stored
  unusable_photos,  // none can be used, for the reasons that skipped() tells; nothing was stored
  duplicate_face,   // the face is enrolled under another NIK; nothing was stored
  unknown_person,   // nobody with that NIK and that name
  inactive,         // the person is kept, but not to be matched; nothing was stored
  consent_missing,  // the person gave no consent, or has withdrawn it; nothing was stored
  busy,             // the work queue is full: try again in a moment
  late,             // the deadline passed before the work was done
  stopping,         // the service is shutting down
  training,         // stored, but no classifier that knows it could be made; the former one serves on
  unknown_site,     // no site has that code
  unknown_event,    // no such event, or its person was removed
  not_found,        // no such entry of the calendar, or what it refers to is not there
  bad_value,        // a value out of range; the message says which and what was expected
  conflict,         // taken, in use, corrected already, or a key used for another request
};

[[nodiscard]] std::string_view name_of(Cause cause);

// Why a photo was not taken.
enum class PhotoFault {
  undecodable,  // no picture, or beyond the limits: the whole upload is refused (Cause::undecodable)
  no_face,
  several_faces,  // and none of them stands out
  unclear,        // the detector is not sure that it is a face
  too_small,
  blurred,
  dark,
  bright,
  low_contrast,
  turned,           // away from the camera
  cut_off,          // by the photo's edge
  not_same_person,  // does not resemble the person's other photos
  duplicate_face,   // resembles somebody who is enrolled under another NIK
};

// "too_small": stable, for programs.
[[nodiscard]] std::string_view name_of(PhotoFault fault);

struct SkippedFile {
  std::string filename, reason;  // the reason is for people, and names nobody
  PhotoFault fault = PhotoFault::no_face;
  std::size_t index = 0;                    // which file of the upload: names may be cut, escaped or the same
  std::optional<std::int64_t> resembles{};  // duplicate_face: whom, for callers who may know everybody
};

class Refusal final : public Error {
 public:
  Refusal(Cause cause, const std::string& message, std::vector<SkippedFile> skipped = {})
      : Error(kind_of(cause), message), cause_(cause), skipped_(std::move(skipped)) {}
  [[nodiscard]] Cause cause() const noexcept { return cause_; }
  [[nodiscard]] const std::vector<SkippedFile>& skipped() const noexcept { return skipped_; }  // of an upload

 private:
  [[nodiscard]] static ErrorKind kind_of(Cause cause);

  Cause cause_;
  std::vector<SkippedFile> skipped_;
};

// Throws Refusal with a formatted message.
template <class... Args>
[[noreturn]] void refuse(Cause cause, fmt::format_string<Args...> format, Args&&... args) {
  throw Refusal(cause, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace wajah::attendance
