#include "server/api/vision_routes.hpp"

#include "attendance/enrolment_checks.hpp"
#include "attendance/identify.hpp"
#include "server/api/documented.hpp"
#include "server/api/looking.hpp"
#include "server/api/values.hpp"
#include "server/json.hpp"
#include "server/problem.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <algorithm>

namespace wajah::server {
namespace json = boost::json;
using attendance::Bytes;
using attendance::FaceEmbedding;

namespace {

constexpr std::size_t most_in_batch = 64;

// The faces of a look that are large enough for the caller, as `describe` tells them.
template <class Describe>
json::array faces_of(const Look& look, const Request& request, Describe describe) {
  const auto least_size = request.body.contains("min_face") ? request.body.at("min_face").to_number<double>() : 0.0;
  json::array faces;
  for (const auto& face : look.analysis.faces) {
    if (std::min(face.face.box.width(), face.face.box.height()) >= least_size) faces.push_back(describe(face));
  }
  return faces;
}

Reply looked_reply(const Site& site, const Look& look, json::object body, const Stopwatch& watch) {
  add_machine(body, site, watch);
  auto reply = json_reply(200, body);
  reply.timings = stages(look.analysis.times);
  return reply;
}

// The answer of a look: the picture's facts and what `describe` makes of each face.
template <class Describe>
Reply looked(Site& site, Request& request, Describe describe) {
  const Stopwatch watch;
  const auto look = look_at(site, request, "image");
  return looked_reply(site, look, {{"image", image_json(look)}, {"faces", faces_of(look, request, describe)}}, watch);
}

Reply detect(Site& site, Request& request) { return looked(site, request, face_json); }

Reply embed(Site& site, Request& request) {
  return looked(site, request, [](const FaceEmbedding& face) {
    auto result = face_json(face);
    json::array values;
    for (const float value : face.embedding) values.push_back(rounded(static_cast<double>(value), 7));
    result["embedding"] = std::move(values);
    return result;
  });
}

json::object measures_json(const FaceMeasures& measures) {
  return {{"size", rounded(measures.size)},      {"sharpness", rounded(measures.sharpness, 3)},
          {"brightness", rounded(measures.p50)}, {"contrast", rounded(measures.contrast())},
          {"yaw", rounded(measures.pose.yaw)},   {"pitch", rounded(measures.pose.pitch)},
          {"roll", rounded(measures.pose.roll)}, {"outside", rounded(measures.outside, 3)}};
}

// What enrolling would say of the photo by itself: the same look, the same checks.
Reply quality(Site& site, Request& request) {
  const Stopwatch watch;
  const auto look = look_at(site, request, "image", attendance::Purpose::enrol);
  const auto& checks = attendance::checks_of(site.backend->service.options().strictness);
  const auto faults = attendance::faults_of(look.analysis, checks);
  json::array issues, reasons;
  for (const auto& fault : faults) {
    issues.push_back(json::value(name_of(fault.fault)));
    reasons.push_back(json::value(fault.reason));
  }
  json::object body{{"image", image_json(look)},
                    {"usable", faults.empty()},
                    {"fault", faults.empty() ? json::value(nullptr) : issues.front()},
                    {"reason", faults.empty() ? json::value(nullptr) : reasons.front()}};
  body["faces"] = faces_of(look, request, [&](const FaceEmbedding& face) {
    auto result = face_json(face);
    result["quality"].as_object()["issues"] = issues;
    result["measures"] = measures_json(face.measures);
    result["reasons"] = reasons;
    return result;
  });
  return looked_reply(site, look, std::move(body), watch);
}

json::object recognised(const FaceEmbedding& face, const attendance::Gallery& gallery,
                        const attendance::ServiceOptions& rules) {
  const auto identity = attendance::identify(gallery, face.embedding, rules);
  const bool usable = judge(face.measures, standard_limits).issues.empty();
  const bool known = identity.finding == attendance::Finding::known;
  auto result = face_json(face);
  result["liveness"] = json::object{{"status", "not_checked"}};
  // Whoever is known is known; that a photo is poor explains why nobody was found, it does not undo a match.
  result["decision"] = !known && !usable ? "unusable" : attendance::name_of(identity.finding);
  result["person"] = known ? json::value(mention(*identity.person)) : json::value(nullptr);
  result["similarity"] = rounded(identity.similarity, 4);
  result["confidence"] = rounded(identity.confidence, 4);
  result["margin"] = rounded(identity.margin, 4);
  json::array alternatives;
  if (identity.finding == attendance::Finding::ambiguous) {
    alternatives.push_back(
        json::object{{"person", mention(*identity.person)}, {"similarity", rounded(identity.similarity, 4)}});
  }
  result["alternatives"] = std::move(alternatives);
  return result;
}

Reply recognise_v1(Site& site, Request& request) {
  const auto& service = site.backend->service;
  double search = 0;
  auto reply = looked(site, request, [&](const FaceEmbedding& face) {
    const Stopwatch watch;
    auto result = recognised(face, *service.gallery(), service.options());
    search += watch.milliseconds();
    return result;
  });
  reply.timings.push_back({"search", search});
  return reply;
}

json::object batch_item(const Look& look, std::size_t index, const attendance::Gallery& gallery,
                        const attendance::ServiceOptions& rules) {
  json::array faces;
  for (const auto& face : look.analysis.faces) faces.push_back(recognised(face, gallery, rules));
  return {{"index", index}, {"image", image_json(look)}, {"faces", std::move(faces)}, {"error", nullptr}};
}

json::object batch_error(Bytes bytes, std::size_t index, std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const attendance::Refusal& refusal) {
    throw;
  } catch (const Error& fault) {
    if (fault.kind() != ErrorKind::input) throw;
    return {{"index", index},
            {"image", nullptr},
            {"faces", json::array{}},
            {"error", error_entry({"body", "images", index}, fault.what(), code_of_undecodable(bytes))}};
  }
}

// All pictures at once through the engine's queue, each looked at once.
json::array recognise_all(Site& site, const std::vector<FormFile>& files) {
  auto& backend = *site.backend;
  std::vector<Bytes> pictures;
  for (const auto& file : files) pictures.emplace_back(file.bytes);
  auto outcomes = backend.engine.analyse_each(pictures, attendance::Purpose::recognise,
                                              std::chrono::steady_clock::now() + backend.options.deadline);
  const auto gallery = backend.service.gallery();
  json::array items;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    auto& outcome = outcomes[i];
    if (outcome.error) {
      items.push_back(batch_error(pictures[i], i, outcome.error));
    } else {
      const Look look{pictures[i], std::move(outcome.analysis)};
      items.push_back(batch_item(look, i, *gallery, backend.service.options()));
    }
  }
  return items;
}

Reply recognise_batch(Site& site, Request& request) {
  const Stopwatch watch;
  json::object body{{"items", recognise_all(site, request.files("images"))}};
  add_machine(body, site, watch);
  return json_reply(200, body);
}

Reply verify(Site& site, Request& request) {
  const Stopwatch watch;
  const auto first = look_at(site, request, "image1", attendance::Purpose::enrol);
  const auto second = look_at(site, request, "image2", attendance::Purpose::enrol);
  const auto& a = only_face(first, "image1");
  const auto& b = only_face(second, "image2");
  const auto claim = attendance::compare(a.embedding, b.embedding, site.backend->service.options());
  json::object body{{"same", claim.accepted},
                    {"similarity", rounded(claim.similarity, 4)},
                    {"confidence", rounded(claim.confidence, 4)},
                    {"faces", json::array{face_json(a), face_json(b)}}};
  add_machine(body, site, watch);
  return json_reply(200, body);
}

constexpr Field min_face_field{"min_face", FieldKind::text, "Leave out faces smaller than so many pixels", false,
                               R"({"type":"number","minimum":0,"maximum":10000})"};
constexpr Field look_fields[] = {picture_field, min_face_field};
constexpr Field batch_fields[] = {
    {.name = "images", .kind = FieldKind::files, .about = "1 to 64 photos: JPEG, PNG or WebP", .most = most_in_batch}};
constexpr Field verify_fields[] = {
    {"image1", FieldKind::file, "A photo of one person"},
    {"image2", FieldKind::file, "Another photo"},
};

constexpr Answer detect_answers[] = {ok("Detection", "Every face; none is an empty list"), no_picture, bad_picture};
constexpr Answer embed_answers[] = {ok("Embeddings", "Every face with its embedding"), no_picture, bad_picture};
constexpr Answer quality_answers[] = {ok("QualityReport", "What enrolling would say of it by the server's strictness"),
                                      no_picture, bad_picture};
constexpr Answer recognise_answers[] = {ok("RecognitionV1", "Every face with who it is; nothing is recorded"),
                                        no_picture, bad_picture};
constexpr Answer batch_answers[] = {ok("BatchRecognition", "An item for each picture; one bad picture spoils no other"),
                                    wrong_values};
constexpr Answer verify_answers[] = {ok("Comparison", "Whether both show one person"), no_picture, bad_picture};

constexpr Route look_route(std::string_view path, std::string_view summary, std::string_view about, Scope scope,
                           std::span<const Answer> answers, Reply (*handle)(Site&, Request&)) {
  return {.verb = Verb::post,
          .path = path,
          .tag = "vision",
          .summary = summary,
          .about = about,
          .scope = scope,
          .lane = Lane::recognise,
          .body_limit = picture_limit,
          .fields = look_fields,
          .answers = answers,
          .handle = handle,
          .shape = Shape::problem};
}

constexpr Route table[] = {
    look_route("/api/v1/detect", "Find faces", "Boxes, landmarks and quality of every face.", Scope::recognize,
               detect_answers, detect),
    look_route(
        "/api/v1/quality", "Judge a photo",
        "What enrolling would say of the photo by itself: the face that it would take, and what that lacks. Whether "
        "it is the person's, or somebody's of another NIK, only enrolling tells.",
        Scope::recognize, quality_answers, quality),
    look_route("/api/v1/embed", "Embed faces",
               "The numbers a face is known by. They are biometric data: the scope is one of its own.", Scope::embed,
               embed_answers, embed),
    look_route("/api/v1/recognize", "Recognise faces (1:N)", "Who is in the photo, among all who are enrolled.",
               Scope::recognize, recognise_answers, recognise_v1),
    {.verb = Verb::post,
     .path = "/api/v1/recognize:batch",
     .tag = "vision",
     .summary = "Recognise many photos",
     .about = "Up to 64 photos through the engine together.",
     .scope = Scope::recognize,
     .lane = Lane::recognise,
     .body_limit = 128 * mib,
     .fields = batch_fields,
     .answers = batch_answers,
     .handle = recognise_batch,
     .shape = Shape::problem},
    {.verb = Verb::post,
     .path = "/api/v1/verify",
     .tag = "vision",
     .summary = "Compare two photos (1:1)",
     .about = "Whether the faces that the two photos are about belong to one person.",
     .scope = Scope::recognize,
     .lane = Lane::recognise,
     .body_limit = 2 * picture_limit,
     .fields = verify_fields,
     .answers = verify_answers,
     .handle = verify,
     .shape = Shape::problem},
};

}  // namespace

std::span<const Route> vision_routes() { return table; }

}  // namespace wajah::server
