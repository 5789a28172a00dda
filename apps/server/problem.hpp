// Problem: a refusal on /api/v1, in the shape of RFC 9457. The codes are stable; programs may branch on them.
#pragma once

#include "server/reply.hpp"

#include <wajah/error.hpp>

#include <boost/json/array.hpp>

#include <span>
#include <string>
#include <string_view>

namespace wajah::server {

struct Request;

struct ProblemKind {
  std::string_view code;
  int status = 400;
  std::string_view title, title_id;  // English, Indonesian
  std::string_view hint;             // what to do about it
};

[[nodiscard]] std::span<const ProblemKind> problem_kinds();

// Throws std::out_of_range on a code that is not in the list.
[[nodiscard]] const ProblemKind& problem_kind(std::string_view code);

// The usual code of a status.
[[nodiscard]] std::string_view code_of(int status);

// What a handler of /api/v1 throws to refuse. `errors`: entries of FastAPI's shape {loc, msg, type}.
class Problem final : public Error {
 public:
  Problem(std::string_view code, const std::string& detail, boost::json::array errors = {})
      : Error(ErrorKind::input, detail), kind_(problem_kind(code)), errors_(std::move(errors)) {}

  [[nodiscard]] const ProblemKind& problem() const noexcept { return kind_; }
  [[nodiscard]] const boost::json::array& errors() const noexcept { return errors_; }

 private:
  const ProblemKind& kind_;
  boost::json::array errors_;
};

// One entry of errors[].
[[nodiscard]] boost::json::object error_entry(boost::json::array location, std::string_view message,
                                              std::string_view type);

[[nodiscard]] Reply problem_reply(const Request& request, const ProblemKind& kind, std::string_view detail,
                                  const boost::json::array& errors = {});

}  // namespace wajah::server
