// The one exception type of wajah. A message names the thing, what came, what was expected, and a hint.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace wajah {

// What kind of thing went wrong; programs map it to an exit status, the service to an HTTP status. Of a device there
// are three: device is no longer to be relied on, device_memory has no room for this one but is whole, device_numbers
// gave numbers that are not finite.
enum class ErrorKind { usage, input, model, device, storage, device_memory, device_numbers };

[[nodiscard]] constexpr bool of_device(ErrorKind kind) {
  return kind == ErrorKind::device || kind == ErrorKind::device_memory || kind == ErrorKind::device_numbers;
}

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }

 private:
  ErrorKind kind_;
};

// Throws Error with a formatted message: fail(ErrorKind::input, "{}: {} bytes, expected {}", name, got, expected).
template <class... Args>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace wajah
