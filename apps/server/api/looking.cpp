#include "server/api/looking.hpp"

#include "server/api/values.hpp"
#include "server/problem.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <algorithm>
#include <array>

namespace wajah::server {
namespace json = boost::json;
using attendance::Analysis;
using attendance::Bytes;
using attendance::FaceEmbedding;

namespace {

bool begins_with(Bytes bytes, std::string_view magic, std::size_t at = 0) {
  if (bytes.size() < at + magic.size()) return false;
  const std::string_view begin(reinterpret_cast<const char*>(bytes.data()) + at, magic.size());
  return begin == magic;
}

[[noreturn]] void refuse_face(std::string_view code, std::string_view field, const std::string& detail) {
  throw Problem(code, detail, {error_entry({"body", field}, detail, code)});
}

}  // namespace

std::string_view code_of_undecodable(Bytes bytes) {
  const bool known =
      begins_with(bytes, "\xFF\xD8\xFF") || begins_with(bytes, "\x89PNG") || begins_with(bytes, "WEBP", 8);
  return known ? "image_undecodable" : "unsupported_image";
}

Look look_at(Site& site, Request& request, std::string_view field, attendance::Purpose purpose) {
  const auto bytes = request.files(field).front().bytes;
  try {
    return {bytes, site.backend->service.look(bytes, purpose)};
  } catch (const attendance::Refusal& refusal) {
    if (refusal.cause() != attendance::Cause::undecodable) throw;
    throw Problem(code_of_undecodable(bytes), refusal.what(),
                  {error_entry({"body", field}, refusal.what(), "image.undecodable")});
  }
}

const FaceEmbedding& only_face(const Look& look, std::string_view field) {
  const auto& faces = look.analysis.faces;
  if (faces.empty()) refuse_face("face_not_found", field, "No face was found.");
  if (faces.size() > 1) {
    refuse_face("several_faces", field, fmt::format("{} faces were found, expected exactly one.", faces.size()));
  }
  return faces.front();
}

json::object image_json(const Look& look) {
  return {{"width", look.analysis.width},
          {"height", look.analysis.height},
          {"orientation_applied", look.analysis.orientation}};
}

json::object face_json(const FaceEmbedding& found) {
  const auto& face = found.face;
  json::array landmarks;
  for (const auto& point : face.points) landmarks.push_back(json::array{rounded(point.x), rounded(point.y)});
  return {{"box",
           {{"x", rounded(face.box.x1)},
            {"y", rounded(face.box.y1)},
            {"width", rounded(face.box.width())},
            {"height", rounded(face.box.height())}}},
          {"landmarks", std::move(landmarks)},
          {"detection", rounded(static_cast<double>(face.score), 4)},
          {"quality", quality_json(found.measures)}};
}

json::object quality_json(const FaceMeasures& measures) {
  const auto quality = judge(measures, standard_limits);
  json::array issues;
  for (const auto issue : quality.issues) issues.push_back(json::value(name_of(issue)));
  return {{"score", rounded(quality.score, 3)}, {"issues", std::move(issues)}};
}

double Stopwatch::milliseconds() const {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun_).count();
}

void add_machine(json::object& reply, const Site& site, const Stopwatch& watch) {
  reply["model"] = site.info.model;
  reply["device"] = site.device();
  reply["took_ms"] = rounded(watch.milliseconds());
}

std::vector<Timing> stages(const attendance::StageTimes& times, std::optional<double> search) {
  std::vector<Timing> result{
      {"queue", times.queue}, {"decode", times.decode}, {"detect", times.detect}, {"embed", times.embed}};
  if (search) result.push_back({"search", *search});
  return result;
}

std::vector<Timing> stages(const attendance::UploadResult& result) {
  return {{"look", result.look}, {"store", result.store}, {"train", result.train}};
}

}  // namespace wajah::server
