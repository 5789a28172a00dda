// Headers: the fields of a request's header, in the order they came.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wajah::server {

class Headers {
 public:
  // `name` in lower case.
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }

  // The first field of that name (in lower case), or null.
  [[nodiscard]] const std::string* find(std::string_view name) const {
    for (const auto& [key, value] : fields_) {
      if (key == name) return &value;
    }
    return nullptr;
  }

  // Its value; empty if it is not there.
  [[nodiscard]] std::string_view get(std::string_view name) const {
    const auto* value = find(name);
    return value ? std::string_view(*value) : std::string_view();
  }

  // The values of all fields of that name as one list, as RFC 9110 (5.3) has it.
  [[nodiscard]] std::string joined(std::string_view name) const {
    std::string list;
    for (const auto& [key, value] : fields_) {
      if (key == name) list.append(list.empty() ? "" : ", ").append(value);
    }
    return list;
  }

  // Whether the name of any field begins so.
  [[nodiscard]] bool any_begins(std::string_view prefix) const {
    for (const auto& [key, value] : fields_) {
      if (key.starts_with(prefix)) return true;
    }
    return false;
  }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace wajah::server
