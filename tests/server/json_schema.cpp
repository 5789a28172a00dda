// The checker of JSON values: each rule says no where it should, and nothing else.
#include "server/json_schema.hpp"

#include "server/json.hpp"
#include "server/json_scan.hpp"

#include <wajah/error.hpp>

#include <doctest/doctest.h>
#include <boost/json/parse.hpp>

#include <string>

namespace wajah::server {
namespace {

namespace json = boost::json;

const json::value& no_reference(std::string_view) { throw std::out_of_range("no reference is expected"); }

// "place type", one for each violation.
std::string found(std::string_view value, std::string_view schema) {
  std::string text;
  for (const auto& violation : violations(json::parse(value), json::parse(schema), no_reference)) {
    text += to_text(violation.location) + violation.type + ";";
  }
  return text;
}

}  // namespace

TEST_CASE("types, with whole numbers among numbers") {
  CHECK(found("1", R"({"type":"integer"})").empty());
  CHECK(found("1.0", R"({"type":"integer"})").empty());
  CHECK(found("1", R"({"type":"number"})").empty());
  CHECK(found("1.5", R"({"type":"integer"})") == "[]int_type;");
  CHECK(found("true", R"({"type":"number"})") == "[]float_type;");
  CHECK(found("null", R"({"type":["string","null"]})").empty());
  CHECK(found("3", R"({"type":["string","null"]})") == "[]string_type;");
}

TEST_CASE("objects: what is missing, what is too much, what is wrong inside") {
  constexpr auto schema = R"({"type":"object","required":["a"],"properties":{"a":{"type":"integer"},
      "b":{"type":"object","properties":{"c":{"type":"string"}},"additionalProperties":false}},
      "additionalProperties":false})";
  CHECK(found(R"({"a":1,"b":{"c":"x"}})", schema).empty());
  CHECK(found(R"({"b":{"c":1,"d":2},"e":3})", schema) ==
        R"(["a"]missing;["b","c"]string_type;["b","d"]extra_forbidden;["e"]extra_forbidden;)");
}

TEST_CASE("ranges and lengths, at their edges; lengths count characters") {
  constexpr auto number = R"({"type":"number","minimum":1,"maximum":3})";
  CHECK(found("1", number).empty());
  CHECK(found("3", number).empty());
  CHECK(found("0.99", number) == "[]greater_than_equal;");
  CHECK(found("3.01", number) == "[]less_than_equal;");
  CHECK(found("0", R"({"exclusiveMinimum":0})") == "[]greater_than;");
  constexpr auto text = R"({"type":"string","minLength":2,"maxLength":3})";
  CHECK(found(R"("éé")", text).empty());
  CHECK(found(R"("éééé")", text) == "[]string_too_long;");
  CHECK(found(R"("é")", text) == "[]string_too_short;");
  CHECK(found("[1,2,3]", R"({"maxItems":2,"items":{"type":"string"}})") ==
        "[]too_long;[0]string_type;[1]string_type;[2]string_type;");
}

TEST_CASE("dates and times that do not exist are refused") {
  constexpr auto date = R"({"format":"date"})", time = R"({"format":"date-time"})";
  for (const auto* good : {R"("2024-02-29")", R"("2026-12-31")", R"("1970-01-01")", R"("9999-12-31")"})
    CHECK(found(good, date).empty());
  for (const auto* bad : {R"("2026-02-29")", R"("2026-13-01")", R"("2026-1-1")", R"("1900-02-29")", R"("1969-12-31")",
                          R"("0001-01-01")", R"("")"}) {
    CHECK(found(bad, date) == "[]date_parsing;");
  }
  for (const auto* good : {R"("2026-11-22T07:58:11+07:00")", R"("2026-11-22T07:58:11Z")", R"("2026-11-22T07:58:11.5Z")",
                           R"("1970-01-01T00:00:00Z")", R"("2261-12-31T23:59:59Z")"}) {
    CHECK(found(good, time).empty());
  }
  for (const auto* bad : {R"("2026-11-22T07:58:11")", R"("2026-11-22 07:58:11Z")", R"("2026-11-22T24:00:00Z")",
                          R"("2026-11-22T07:58:11.Z")", R"("2026-11-22T07:58:11+7:00")", R"("1969-12-31T23:59:59Z")",
                          R"("2262-01-01T00:00:00Z")", R"("9999-12-31T23:59:59Z")"}) {
    CHECK(found(bad, time) == "[]datetime_parsing;");
  }
}

TEST_CASE("JSON that would take too much memory, or says a thing twice, is found before it is read") {
  CHECK_FALSE(fault_of_json(R"({"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]})"));
  CHECK_FALSE(fault_of_json("no JSON at all"));
  const auto twice = fault_of_json(R"({"a":1,"b":{"x":[],"\u0078":2}})");
  REQUIRE(twice);
  CHECK(twice->find("'x' twice") != std::string::npos);
  CHECK_FALSE(fault_of_json("[1,2,3]", 4));
  const auto many = fault_of_json("[1,2,3,4]", 4);
  REQUIRE(many);
  CHECK(many->find("more than 4 values") != std::string::npos);
  CHECK_FALSE(fault_of_json("[1e308]"));
  const auto infinite = fault_of_json("[1e400]");
  REQUIRE(infinite);
  CHECK(infinite->find("too large") != std::string::npos);
}

TEST_CASE("alternatives, constants and choices") {
  constexpr auto any = R"({"anyOf":[{"type":"integer"},{"type":"null"}]})";
  CHECK(found("1", any).empty());
  CHECK(found(R"("x")", any) == "[]union_tag_invalid;");
  CHECK(found("5", R"({"oneOf":[{"minimum":1},{"minimum":2}]})") == "[]union_tag_invalid;");
  CHECK(found("2", R"({"const":1})") == "[]literal_error;");
  CHECK(found(R"("c")", R"({"enum":["a","b"]})") == "[]enum;");
}

TEST_CASE("a rule that is not checked is refused, not overlooked") {
  CHECK_THROWS_AS((void)found("1", R"({"multipleOf":2})"), Error);
}

}  // namespace wajah::server
