#include "server/route.hpp"

namespace wajah::server {

std::vector<FormFile> Request::files(std::string_view field) {
  std::vector<FormFile> result = form.files(field);
  for (const auto& [name, bytes] : decoded) {
    if (name == field) result.push_back({{}, bytes});
  }
  return result;
}

std::string_view name_of(Verb verb) {
  switch (verb) {
    case Verb::get: return "GET";
    case Verb::post: return "POST";
    case Verb::put: return "PUT";
    case Verb::patch: return "PATCH";
    case Verb::remove: return "DELETE";
  }
  return "GET";
}

}  // namespace wajah::server
