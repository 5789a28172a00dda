// SettingsStore: named texts that the service keeps about itself, such as thresholds chosen in the pages.
#pragma once

#include "attendance/store.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace wajah::attendance {

class SettingsStore {
 public:
  virtual ~SettingsStore() = default;

  [[nodiscard]] virtual std::optional<std::string> get(std::string_view name) = 0;
  [[nodiscard]] virtual std::map<std::string, std::string> all() = 0;
  virtual void set(std::string_view name, std::string_view value, Time at) = 0;
  virtual bool unset(std::string_view name) = 0;  // false if there was none
};

}  // namespace wajah::attendance
