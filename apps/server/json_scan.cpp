#include "server/json_scan.hpp"

#include <wajah/text.hpp>

#include <fmt/format.h>
#include <boost/json/basic_parser_impl.hpp>

#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

namespace wajah::server {
namespace {

using boost::system::error_code;

// Told of everything in the text by boost::json::basic_parser; ends the parse at the first fault.
class Scan {
 public:
  static constexpr std::size_t max_object_size = SIZE_MAX, max_array_size = SIZE_MAX, max_key_size = SIZE_MAX,
                               max_string_size = SIZE_MAX;

  explicit Scan(std::size_t most) : left_(most), most_(most) {}

  [[nodiscard]] const std::optional<std::string>& fault() const { return fault_; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code& error) {
    keys_.emplace_back();
    return count(error);
  }
  bool on_object_end(std::size_t, error_code&) {
    keys_.pop_back();
    return true;
  }
  bool on_array_begin(error_code& error) { return count(error); }
  bool on_array_end(std::size_t, error_code&) { return true; }
  bool on_key_part(std::string_view part, std::size_t, error_code&) {
    key_ += part;
    return true;
  }
  bool on_key(std::string_view part, std::size_t, error_code& error) {
    key_ += part;
    if (!keys_.back().insert(key_).second) {
      return stop(fmt::format("an object has the key {} twice; leave one out", quote(key_)), error);
    }
    key_.clear();
    return true;
  }
  bool on_string_part(std::string_view, std::size_t, error_code&) { return true; }
  bool on_string(std::string_view, std::size_t, error_code& error) { return count(error); }
  bool on_number_part(std::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t, std::string_view, error_code& error) { return count(error); }
  bool on_uint64(std::uint64_t, std::string_view, error_code& error) { return count(error); }
  bool on_double(double value, std::string_view, error_code& error) {
    // What cannot be kept could not be read back either.
    if (!std::isfinite(value)) return stop("a number is too large, expected at most 1.7e308", error);
    return count(error);
  }
  bool on_bool(bool, error_code& error) { return count(error); }
  bool on_null(error_code& error) { return count(error); }
  bool on_comment_part(std::string_view, error_code&) { return true; }
  bool on_comment(std::string_view, error_code&) { return true; }

 private:
  bool count(error_code& error) {
    if (left_ == 0) return stop(fmt::format("it has more than {} values, expected at most so many", most_), error);
    --left_;
    return true;
  }

  bool stop(std::string fault, error_code& error) {
    fault_ = std::move(fault);
    error = boost::json::error::exception;
    return false;
  }

  std::size_t left_, most_;
  std::vector<std::set<std::string, std::less<>>> keys_;  // of each object that is open
  std::string key_;
  std::optional<std::string> fault_;
};

}  // namespace

std::optional<std::string> fault_of_json(std::string_view text, std::size_t most) {
  boost::json::basic_parser<Scan> parser(boost::json::parse_options{}, most);
  error_code error;
  parser.write_some(false, text.data(), text.size(), error);
  return parser.handler().fault();
}

}  // namespace wajah::server
