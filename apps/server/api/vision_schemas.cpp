#include "server/api/vision_routes.hpp"

namespace wajah::server {
namespace {

constexpr NamedSchema schemas[] = {
    {"Box", R"({"type":"object","description":"In pixels of the upright picture; may reach beyond it",
      "required":["x","y","width","height"],"properties":{"x":{"type":"number"},"y":{"type":"number"},
      "width":{"type":"number"},"height":{"type":"number"}},"additionalProperties":false})"},
    {"Landmarks", R"({"type":"array","minItems":5,"maxItems":5,
      "description":"Left eye, right eye, nose, left and right mouth corner, as seen in the picture",
      "items":{"type":"array","minItems":2,"maxItems":2,"items":{"type":"number"}}})"},
    {"ImageFacts", R"({"type":"object","required":["width","height","orientation_applied"],"properties":{
      "width":{"type":"integer","description":"of the upright picture"},"height":{"type":"integer"},
      "orientation_applied":{"type":"integer","minimum":1,"maximum":8,"description":"EXIF's number"}},
      "additionalProperties":false})"},
    {"Quality", R"({"type":"object","required":["score","issues"],"properties":{
      "score":{"type":"number","minimum":0,"maximum":1},"issues":{"type":"array","items":{"type":"string",
      "enum":["several_faces","unclear","too_small","blurred","dark","bright","low_contrast","turned","cut_off"],
      "description":"several_faces only of /quality"}}},
      "additionalProperties":false})"},
    {"Liveness", R"({"type":"object","required":["status"],"properties":{"status":{"type":"string",
      "description":"not_checked: a single photo cannot tell"}},"additionalProperties":false})"},
    {"PersonMention", R"({"type":"object","required":["id","nik","name"],"properties":{"id":{"type":"string"},
      "nik":{"type":"string"},"name":{"type":"string"}},"additionalProperties":false})"},
    {"DetectedFace", R"({"type":"object","required":["box","landmarks","detection","quality"],"properties":{
      "box":{"$ref":"#/components/schemas/Box"},"landmarks":{"$ref":"#/components/schemas/Landmarks"},
      "detection":{"type":"number","minimum":0,"maximum":1,"description":"the detector's certainty that it is a face"},
      "quality":{"$ref":"#/components/schemas/Quality"}},"additionalProperties":false})"},
    {"Detection", R"({"type":"object","required":["image","faces","model","device","took_ms"],"properties":{
      "image":{"$ref":"#/components/schemas/ImageFacts"},
      "faces":{"type":"array","items":{"$ref":"#/components/schemas/DetectedFace"}},
      "model":{"type":"string"},"device":{"type":"string"},"took_ms":{"type":"number"}},
      "additionalProperties":false})"},
    {"MeasuredFace", R"({"type":"object","required":["box","landmarks","detection","quality","measures","reasons"],
      "properties":{"box":{"$ref":"#/components/schemas/Box"},
      "landmarks":{"$ref":"#/components/schemas/Landmarks"},"detection":{"type":"number"},
      "quality":{"$ref":"#/components/schemas/Quality"},
      "measures":{"type":"object","required":["size","sharpness","brightness","contrast","yaw","pitch","roll",
      "outside"],"properties":{"size":{"type":"number"},"sharpness":{"type":"number"},
      "brightness":{"type":"number"},"contrast":{"type":"number"},"yaw":{"type":"number"},"pitch":{"type":"number"},
      "roll":{"type":"number"},"outside":{"type":"number"}},"additionalProperties":false},
      "reasons":{"type":"array","items":{"type":"string"}}},"additionalProperties":false})"},
    {"QualityReport", R"({"type":"object","required":["image","usable","fault","reason","faces","model","device",
      "took_ms"],"properties":{"image":{"$ref":"#/components/schemas/ImageFacts"},
      "usable":{"type":"boolean","description":"whether the photo passes the checks of the server's strictness"},
      "fault":{"type":["string","null"],"description":"the code it would be rejected with",
      "enum":["no_face","several_faces","unclear","too_small","blurred","dark","bright","low_contrast","turned",
      "cut_off",null]},"reason":{"type":["string","null"]},
      "faces":{"type":"array","maxItems":1,"items":{"$ref":"#/components/schemas/MeasuredFace"},
      "description":"the face that an enrolment would take, with all that is wrong with the photo; none: no face"},
      "model":{"type":"string"},"device":{"type":"string"},"took_ms":{"type":"number"}},
      "additionalProperties":false})"},
    {"EmbeddedFace", R"({"type":"object","required":["box","landmarks","detection","quality","embedding"],"properties":{
      "box":{"$ref":"#/components/schemas/Box"},"landmarks":{"$ref":"#/components/schemas/Landmarks"},
      "detection":{"type":"number"},"quality":{"$ref":"#/components/schemas/Quality"},
      "embedding":{"type":"array","items":{"type":"number"},"description":"of unit length"}},
      "additionalProperties":false})"},
    {"Embeddings", R"({"type":"object","required":["image","faces","model","device","took_ms"],"properties":{
      "image":{"$ref":"#/components/schemas/ImageFacts"},
      "faces":{"type":"array","items":{"$ref":"#/components/schemas/EmbeddedFace"}},
      "model":{"type":"string"},"device":{"type":"string"},"took_ms":{"type":"number"}},
      "additionalProperties":false})"},
    {"Alternative", R"({"type":"object","required":["person","similarity"],"properties":{
      "person":{"$ref":"#/components/schemas/PersonMention"},"similarity":{"type":"number"}},
      "additionalProperties":false})"},
    {"RecognisedFace", R"({"type":"object","required":["box","landmarks","detection","quality","liveness","decision",
      "person","similarity","confidence","margin","alternatives"],"properties":{
      "box":{"$ref":"#/components/schemas/Box"},"landmarks":{"$ref":"#/components/schemas/Landmarks"},
      "detection":{"type":"number"},"quality":{"$ref":"#/components/schemas/Quality"},
      "liveness":{"$ref":"#/components/schemas/Liveness"},
      "decision":{"type":"string","enum":["known","unknown","ambiguous","unusable"],
      "description":"ambiguous: two enrolled people resemble it nearly alike; unusable: quality.issues says why"},
      "person":{"anyOf":[{"$ref":"#/components/schemas/PersonMention"},{"type":"null"}]},
      "similarity":{"type":"number","description":"cosine, -1 to 1: no percentage"},
      "confidence":{"type":"number","minimum":0,"maximum":1,
      "description":"probability that it is the person, fitted on people of no test"},
      "margin":{"type":"number","description":"how much less the next person resembles"},
      "alternatives":{"type":"array","items":{"$ref":"#/components/schemas/Alternative"},
      "description":"whom an ambiguous face resembles most"}},"additionalProperties":false})"},
    {"RecognitionV1", R"({"type":"object","required":["image","faces","model","device","took_ms"],"properties":{
      "image":{"$ref":"#/components/schemas/ImageFacts"},
      "faces":{"type":"array","items":{"$ref":"#/components/schemas/RecognisedFace"}},
      "model":{"type":"string"},"device":{"type":"string"},"took_ms":{"type":"number"}},
      "additionalProperties":false})"},
    {"BatchItem", R"({"type":"object","required":["index","image","faces","error"],"properties":{
      "index":{"type":"integer"},"image":{"anyOf":[{"$ref":"#/components/schemas/ImageFacts"},{"type":"null"}]},
      "faces":{"type":"array","items":{"$ref":"#/components/schemas/RecognisedFace"}},
      "error":{"anyOf":[{"$ref":"#/components/schemas/ProblemError"},{"type":"null"}]}},
      "additionalProperties":false})"},
    {"BatchRecognition", R"({"type":"object","required":["items","model","device","took_ms"],"properties":{
      "items":{"type":"array","items":{"$ref":"#/components/schemas/BatchItem"},
      "description":"one for each picture, in their order"},
      "model":{"type":"string"},"device":{"type":"string"},"took_ms":{"type":"number"}},
      "additionalProperties":false})"},
    {"Comparison", R"({"type":"object","required":["same","similarity","confidence","faces","model","device","took_ms"],
      "properties":{"same":{"type":"boolean"},"similarity":{"type":"number"},
      "confidence":{"type":"number","minimum":0,"maximum":1},
      "faces":{"type":"array","minItems":2,"maxItems":2,"items":{"$ref":"#/components/schemas/DetectedFace"}},
      "model":{"type":"string"},"device":{"type":"string"},"took_ms":{"type":"number"}},
      "additionalProperties":false})"},
};

}  // namespace

std::span<const NamedSchema> vision_schemas() { return schemas; }

}  // namespace wajah::server
