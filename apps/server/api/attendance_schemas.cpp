#include "server/api/attendance_routes.hpp"

namespace wajah::server {
namespace {

constexpr NamedSchema schemas[] = {
    {"Direction", R"({"type":"string","enum":["in","out"]})"},
    {"Event", R"({"type":"object","required":["id","person","site","direction","at","business_date","source",
      "similarity","corrects","corrected_by","struck","counts","reason","actor"],"properties":{
      "id":{"type":"string"},
      "person":{"anyOf":[{"$ref":"#/components/schemas/PersonMention"},{"type":"null"}]},
      "site":{"type":"string"},"direction":{"$ref":"#/components/schemas/Direction"},
      "at":{"type":"string","format":"date-time"},"business_date":{"type":"string","format":"date"},
      "source":{"type":"string","enum":["face","claim","original","manual","kiosk"]},
      "similarity":{"type":["number","null"]},"corrects":{"type":["string","null"]},
      "corrected_by":{"type":["string","null"]},"struck":{"type":"boolean"},
      "counts":{"type":"boolean","description":"false: struck, or another event stands for it"},
      "reason":{"type":"string"},"actor":{"type":"string"}},"additionalProperties":false})"},
    {"CheckedEvent", R"({"type":"object","required":["id","person","site","direction","at","business_date","source",
      "similarity","corrects","corrected_by","struck","counts","reason","actor","shift","status","late_minutes",
      "duplicate_of","replayed"],"properties":{"id":{"type":"string"},
      "person":{"anyOf":[{"$ref":"#/components/schemas/PersonMention"},{"type":"null"}]},
      "site":{"type":"string"},"direction":{"$ref":"#/components/schemas/Direction"},
      "at":{"type":"string","format":"date-time"},"business_date":{"type":"string","format":"date"},
      "source":{"type":"string"},"similarity":{"type":["number","null"]},"corrects":{"type":["string","null"]},
      "corrected_by":{"type":["string","null"]},"struck":{"type":"boolean"},"counts":{"type":"boolean"},
      "reason":{"type":"string"},"actor":{"type":"string"},"shift":{"type":["string","null"]},
      "status":{"$ref":"#/components/schemas/DayStatus"},"late_minutes":{"type":"integer"},
      "duplicate_of":{"type":["string","null"],"description":"the earlier event; nothing was written"},
      "replayed":{"type":"boolean","description":"the answer that the Idempotency-Key got before"}},
      "additionalProperties":false})"},
    {"Greeting", R"({"type":"object","required":["id","en"],"properties":{"id":{"type":"string"},
      "en":{"type":"string"}},"additionalProperties":false})"},
    {"Check", R"({"type":"object","required":["event","matched","decision","similarity","confidence","message"],
      "properties":{"event":{"anyOf":[{"$ref":"#/components/schemas/CheckedEvent"},{"type":"null"}]},
      "matched":{"type":"boolean"},"decision":{"type":"string","enum":["known","unknown","ambiguous"]},
      "similarity":{"type":"number","description":"0 where a claim does not match"},
      "confidence":{"type":"number","minimum":0,"maximum":1,"description":"0 where a claim does not match"},
      "message":{"$ref":"#/components/schemas/Greeting"}},"additionalProperties":false})"},
    {"EventPage", R"({"type":"object","required":["items","next_cursor"],"properties":{
      "items":{"type":"array","items":{"$ref":"#/components/schemas/Event"}},
      "next_cursor":{"type":["string","null"]}},"additionalProperties":false})"},
    {"NewEvent", R"({"type":"object","required":["person","direction","at","reason"],"properties":{
      "person":{"type":"string","maxLength":80,"description":"p_12, or nik:12345"},
      "site":{"type":"string","maxLength":64},"direction":{"$ref":"#/components/schemas/Direction"},
      "at":{"type":"string","format":"date-time"},
      "reason":{"type":"string","minLength":1,"maxLength":500}},"additionalProperties":false})"},
    {"EventCorrection", R"({"type":"object","required":["reason"],"properties":{
      "at":{"type":"string","format":"date-time"},"direction":{"$ref":"#/components/schemas/Direction"},
      "site":{"type":"string","maxLength":64},
      "strike":{"type":"boolean","description":"it never happened; nothing else may be given then"},
      "reason":{"type":"string","minLength":1,"maxLength":500}},"additionalProperties":false})"},
    {"DayStatus", R"({"type":"string",
      "enum":["on_time","late","present","absent","expected","holiday","off","unplanned"]})"},
    {"Day", R"({"type":"object","required":["business_date","site","zone","shift","shift_start","shift_end","in","out",
      "status","late_minutes","early_leave_minutes","overtime_minutes","worked_minutes","missing_in","missing_out",
      "open","edited","holiday"],"properties":{"business_date":{"type":"string","format":"date"},
      "site":{"type":"string"},"zone":{"type":"string"},"shift":{"type":["string","null"]},
      "shift_start":{"type":["string","null"],"format":"date-time"},
      "shift_end":{"type":["string","null"],"format":"date-time"},"in":{"type":["string","null"],"format":"date-time"},
      "out":{"type":["string","null"],"format":"date-time"},"status":{"$ref":"#/components/schemas/DayStatus"},
      "late_minutes":{"type":"integer"},"early_leave_minutes":{"type":"integer"},
      "overtime_minutes":{"type":"integer"},"worked_minutes":{"type":"integer"},
      "missing_in":{"type":"boolean"},"missing_out":{"type":"boolean"},"open":{"type":"boolean"},
      "edited":{"type":"boolean"},"holiday":{"type":["string","null"]}},"additionalProperties":false})"},
    {"Summary", R"({"type":"object","required":["days_present","days_scheduled","days_absent","days_late",
      "days_left_early","days_missing_punch","late_minutes","early_leave_minutes","overtime_minutes","worked_minutes"],
      "properties":{"days_present":{"type":"integer"},"days_scheduled":{"type":"integer"},
      "days_absent":{"type":"integer"},"days_late":{"type":"integer"},"days_left_early":{"type":"integer"},
      "days_missing_punch":{"type":"integer"},"late_minutes":{"type":"integer"},
      "early_leave_minutes":{"type":"integer"},"overtime_minutes":{"type":"integer"},
      "worked_minutes":{"type":"integer"}},"additionalProperties":false})"},
    {"PersonDays", R"({"type":"object","required":["person","group","site","days","summary"],"properties":{
      "person":{"$ref":"#/components/schemas/PersonMention"},"group":{"type":"string"},"site":{"type":"string"},
      "days":{"type":"array","items":{"$ref":"#/components/schemas/Day"}},
      "summary":{"$ref":"#/components/schemas/Summary"}},"additionalProperties":false})"},
    {"DaysPage", R"({"type":"object","required":["from","to","items","next_cursor"],"properties":{
      "from":{"type":"string","format":"date"},"to":{"type":"string","format":"date"},
      "items":{"type":"array","items":{"$ref":"#/components/schemas/PersonDays"}},
      "next_cursor":{"type":["string","null"]}},"additionalProperties":false})"},
    {"PersonSummary", R"({"type":"object","required":["person","group","site","summary"],"properties":{
      "person":{"$ref":"#/components/schemas/PersonMention"},"group":{"type":"string"},"site":{"type":"string"},
      "summary":{"$ref":"#/components/schemas/Summary"}},"additionalProperties":false})"},
    {"SummaryPage", R"({"type":"object","required":["from","to","items","next_cursor"],"properties":{
      "from":{"type":"string","format":"date"},"to":{"type":"string","format":"date"},
      "items":{"type":"array","items":{"$ref":"#/components/schemas/PersonSummary"}},
      "next_cursor":{"type":["string","null"]}},"additionalProperties":false})"},
};

}  // namespace

std::span<const NamedSchema> attendance_schemas() { return schemas; }

}  // namespace wajah::server
