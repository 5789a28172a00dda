// Short ways to call a service in tests.
#pragma once

#include "attendance/service.hpp"

#include "fakes.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::attendance::testing {

inline UploadResult upload(Service& service, std::string_view nik, std::string_view name, std::vector<File> files) {
  return service.upload(nik, name, files);
}

inline RecogniseResult recognise(Service& service, std::string_view nik, std::string_view faces) {
  return service.recognise(nik, picture(faces));
}

inline std::string refusal_text(const std::function<void()>& call) {
  try {
    call();
  } catch (const Refusal& refusal) {
    return refusal.what();
  }
  return "";
}

inline bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace wajah::attendance::testing
