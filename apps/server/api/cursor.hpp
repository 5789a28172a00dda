// Cursors of lists: opaque to clients, signed so that one cannot be made up or used with another list or other filters.
#pragma once

#include "attendance/storage/secret.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace wajah::server {

class CursorSigner {
 public:
  explicit CursorSigner(const attendance::Secret& secret) : secret_(secret) {}

  // `list`: the path and filters that the position belongs to.
  [[nodiscard]] std::string sign(std::string_view list, std::string_view position) const;

  // The position; the empty text for an empty cursor. Throws Problem (bad_cursor).
  [[nodiscard]] std::string read(std::string_view list, std::string_view cursor) const;

 private:
  [[nodiscard]] std::string tag(std::string_view list, std::string_view position) const;

  const attendance::Secret& secret_;
};

// What a cursor of a list is bound to: its path and its query but for limit, cursor and count.
[[nodiscard]] std::string list_name(std::string_view path, const boost::json::object& query);

}  // namespace wajah::server
