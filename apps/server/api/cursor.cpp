#include "server/api/cursor.hpp"

#include "server/json.hpp"
#include "server/problem.hpp"

#include <sodium.h>

#include <cstring>
#include <map>
#include <vector>

namespace wajah::server {
namespace {

constexpr int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
constexpr std::size_t tag_bytes = 12;

std::string base64(std::string_view bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                    variant);
  text.resize(std::strlen(text.c_str()));
  return text;
}

std::string from_base64(std::string_view text) {
  std::string bytes(text.size(), '\0');
  std::size_t size = 0;
  const int failed = sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                                       text.size(), nullptr, &size, nullptr, variant);
  bytes.resize(failed ? 0 : size);
  return bytes;
}

}  // namespace

std::string CursorSigner::tag(std::string_view list, std::string_view position) const {
  const auto digest = secret_.mac("cursor", std::string(list) + '\n' + std::string(position));
  return {reinterpret_cast<const char*>(digest.data()), tag_bytes};
}

std::string CursorSigner::sign(std::string_view list, std::string_view position) const {
  return base64(tag(list, position) + std::string(position));
}

std::string CursorSigner::read(std::string_view list, std::string_view cursor) const {
  if (cursor.empty()) return {};
  const auto bytes = from_base64(cursor);
  if (bytes.size() > tag_bytes) {
    const auto position = bytes.substr(tag_bytes);
    if (tag(list, position) == bytes.substr(0, tag_bytes)) return position;
  }
  throw Problem("bad_cursor", "The cursor does not belong to this list with these filters.");
}

std::string list_name(std::string_view path, const boost::json::object& query) {
  std::map<std::string_view, std::string> filters;
  for (const auto& [name, value] : query) {
    if (name != "limit" && name != "cursor" && name != "count") filters.emplace(name, to_text(value));
  }
  std::string result(path);
  for (const auto& [name, value] : filters) (result += '\n').append(name).append("=").append(value);
  return result;
}

}  // namespace wajah::server
