#include "server/api/people_routes.hpp"

namespace wajah::server {
namespace {

constexpr NamedSchema schemas[] = {
    {"Person", R"({"type":"object","required":["id","nik","name","group","site","external_id","metadata","active",
      "photos","enrolled_at","updated_at","version"],"properties":{"id":{"type":"string"},"nik":{"type":"string"},
      "name":{"type":"string"},"group":{"type":"string"},"site":{"type":"string"},
      "external_id":{"type":["string","null"]},"metadata":{"type":"object"},
      "active":{"type":"boolean","description":"false: kept, but never matched"},
      "photos":{"type":"integer","minimum":0},"enrolled_at":{"type":"string","format":"date-time"},
      "updated_at":{"type":"string","format":"date-time"},
      "version":{"type":"integer","description":"also the ETag"},
      "needs_photos":{"type":"boolean","description":"in lists: cannot be recognised before new photos come"}},
      "additionalProperties":false})"},
    {"PeoplePage", R"({"type":"object","required":["items","next_cursor"],"properties":{
      "items":{"type":"array","items":{"$ref":"#/components/schemas/Person"}},
      "next_cursor":{"type":["string","null"]},"total":{"type":"integer","minimum":0}},"additionalProperties":false})"},
    {"NewPerson", R"({"type":"object","required":["nik","name"],"properties":{
      "nik":{"type":"string","maxLength":64,"pattern":"^[A-Za-z0-9][A-Za-z0-9._-]*$"},
      "name":{"type":"string","minLength":1,"maxLength":128},"group":{"type":"string","maxLength":128},
      "site":{"type":"string","maxLength":64},"external_id":{"type":"string","minLength":1,"maxLength":128},
      "metadata":{"type":"object"},"active":{"type":"boolean"}},"additionalProperties":false})"},
    {"PersonPatch", R"({"type":"object","description":"What is not given stays","properties":{
      "name":{"type":"string","minLength":1,"maxLength":128},"group":{"type":"string","maxLength":128},
      "site":{"type":"string","maxLength":64},
      "external_id":{"type":["string","null"],"minLength":1,"maxLength":128},
      "metadata":{"type":"object"},"active":{"type":"boolean"}},"additionalProperties":false})"},
    {"Merge", R"({"type":"object","required":["from","into"],"properties":{
      "from":{"type":"string","maxLength":80,"description":"who will be no more"},
      "into":{"type":"string","maxLength":80}},"additionalProperties":false})"},
    {"Merged", R"({"type":"object","required":["into","from","moved_photos"],"properties":{
      "into":{"$ref":"#/components/schemas/Person"},"from":{"$ref":"#/components/schemas/PersonMention"},
      "moved_photos":{"type":"integer","minimum":0}},"additionalProperties":false})"},
    {"Erasure", R"({"type":"object","required":["receipt","person_id","erased_at","photos","left_over","audit_row",
      "audit_hash"],
      "properties":{"receipt":{"type":"string"},"person_id":{"type":"string"},
      "erased_at":{"type":"string","format":"date-time"},"photos":{"type":"integer"},
      "left_over":{"type":"array","items":{"type":"string","enum":["compat.tree","logging"]},
      "description":"files that could not be removed"},
      "audit_row":{"type":"integer"},"audit_hash":{"type":"string"}},"additionalProperties":false})"},
};

}  // namespace

std::span<const NamedSchema> people_schemas() { return schemas; }

}  // namespace wajah::server
