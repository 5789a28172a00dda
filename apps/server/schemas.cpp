#include "server/schemas.hpp"

#include "server/access/session_routes.hpp"
#include "server/api/admin_routes.hpp"
#include "server/api/attendance_routes.hpp"
#include "server/api/people_routes.hpp"
#include "server/api/vision_routes.hpp"

#include <boost/json/parse.hpp>

#include <stdexcept>

namespace wajah::server {
namespace json = boost::json;

namespace {

constexpr NamedSchema originals[] = {
    {"Detail", R"({"type":"object","required":["detail"],"properties":{"detail":{"type":"string"}},
      "additionalProperties":false})"},
    {"Failure", R"({"type":"object","required":["success","message"],"properties":{"success":{"const":false},
      "message":{"type":"string"}},"additionalProperties":false})"},
    {"Message", R"({"type":"object","required":["message"],"properties":{"message":{"type":"string"}},
      "additionalProperties":false})"},
    {"DetailOrFailure",
     R"({"anyOf":[{"$ref":"#/components/schemas/Detail"},{"$ref":"#/components/schemas/Failure"}]})"},
    {"DetailOrMessage",
     R"({"anyOf":[{"$ref":"#/components/schemas/Detail"},{"$ref":"#/components/schemas/Message"}]})"},
    {"Missing", R"({"type":"object","required":["detail"],"properties":{"detail":{"type":"array","minItems":1,
      "items":{"type":"object","required":["type","loc","msg","input"],"properties":{"type":{"const":"missing"},
      "loc":{"type":"array","items":{"type":"string"}},"msg":{"type":"string"},"input":{"type":"null"}}}}},
      "additionalProperties":false})"},
    {"Success", R"({"type":"object","required":["success","message"],"properties":{"success":{"const":true},
      "message":{"type":"string"}},"additionalProperties":false})"},
    {"Removal", R"({"type":"object","required":["success","message"],"properties":{"success":{"type":"boolean"},
      "message":{"type":"string"},"training_success":{"type":"boolean"}},"additionalProperties":false})"},
    {"FaceResult", R"({"type":"object","required":["nik","name","accuracy"],"properties":{
      "nik":{"type":["string","null"],"description":"null: not accepted"},
      "name":{"type":"string","description":"Unknown if not accepted"},
      "accuracy":{"type":"number","minimum":0,"maximum":1,"description":"also given when not accepted"}},
      "additionalProperties":false})"},
    {"Recognition", R"({"type":"object","required":["results","nik_input","nik_matched","face_num","message"],
      "properties":{"results":{"type":"array","items":{"$ref":"#/components/schemas/FaceResult"}},
      "nik_input":{"type":"string"},"nik_matched":{"type":"boolean"},"face_num":{"type":"integer","minimum":0},
      "message":{"type":"string","description":"<NAME> TERDETEKSI, or Wajah Tidak Dikenali"}},
      "additionalProperties":false})"},
};

constexpr NamedSchema commons[] = {
    {"Any", R"({"type":"object"})"},
    {"Landing", R"({"type":"object","required":["name","docs","openapi","ready"],"properties":{
      "name":{"type":"string"},"docs":{"type":"string"},"openapi":{"type":"string"},"ready":{"type":"string"}},
      "additionalProperties":false})"},
    {"Status", R"({"type":"object","required":["status"],"properties":{"status":{"type":"string"},
      "reason":{"type":"string"},"degraded":{"type":"array","items":{"type":"string"},
      "description":"it works, but somebody should look at these"}}})"},
    {"Version", R"({"type":"object","required":["name","version","device","model"],"properties":{
      "name":{"type":"string"},"version":{"type":"string"},"device":{"type":"string"},
      "model":{"type":["string","null"]},"git":{"type":["string","null"],"description":"the commit it was built from"},
      "build":{"type":"string"},"cuda":{"type":"boolean","description":"built to compute on cards"}}})"},
    {"ProblemError", R"({"type":"object","required":["loc","msg","type"],"properties":{
      "loc":{"type":"array","items":{"type":["string","integer"]}},"msg":{"type":"string"},"type":{"type":"string"}},
      "additionalProperties":false})"},
    {"Problem", R"({"type":"object","description":"RFC 9457; `code` is stable, the texts are for people",
      "required":["type","title","status","detail","code","hint","request_id","errors"],"properties":{
      "type":{"type":"string"},"title":{"type":"string"},"status":{"type":"integer","minimum":400,"maximum":599},
      "detail":{"type":"string"},"code":{"type":"string"},"hint":{"type":"string"},"request_id":{"type":"string"},
      "errors":{"type":"array","items":{"$ref":"#/components/schemas/ProblemError"}}},"additionalProperties":false})"},
};

void add(std::map<std::string, json::value, std::less<>>& all, std::span<const NamedSchema> schemas) {
  for (const auto& [name, text] : schemas) all.emplace(name, json::parse(text));
}

}  // namespace

std::span<const NamedSchema> original_schemas() { return originals; }
std::span<const NamedSchema> common_schemas() { return commons; }

const std::map<std::string, json::value, std::less<>>& all_schemas() {
  static const auto all = [] {
    std::map<std::string, json::value, std::less<>> result;
    for (const auto part : {common_schemas(), original_schemas(), vision_schemas(), people_schemas(), face_schemas(),
                            attendance_schemas(), calendar_schemas(), privacy_schemas(), key_schemas(),
                            webhook_schemas(), machine_schemas(), session_schemas()}) {
      add(result, part);
    }
    return result;
  }();
  return all;
}

const json::value& schema_of(std::string_view name) {
  const auto found = all_schemas().find(name);
  if (found == all_schemas().end()) throw std::out_of_range("no schema has the name " + std::string(name));
  return found->second;
}

}  // namespace wajah::server
