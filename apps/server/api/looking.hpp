// Pictures of a request, looked at; and what was seen as JSON.
#pragma once

#include "attendance/engine.hpp"
#include "server/api/backend.hpp"
#include "server/route.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

namespace wajah::server {

// A picture that was looked at; one that could not be is told as the Problem it is.
struct Look {
  attendance::Bytes bytes;
  attendance::Analysis analysis;
};

// The picture of a field. Throws Problem (unsupported_image, image_undecodable), Refusal (busy, late, stopping).
[[nodiscard]] Look look_at(Site& site, Request& request, std::string_view field,
                           attendance::Purpose purpose = attendance::Purpose::recognise);

// Why bytes that did not decode did not: the problem's code.
[[nodiscard]] std::string_view code_of_undecodable(attendance::Bytes bytes);

// The one face that a photo is about. Throws Problem (face_not_found, several_faces); `field` is named in errors[].
[[nodiscard]] const attendance::FaceEmbedding& only_face(const Look& look, std::string_view field);

// {"width":..,"height":..,"orientation_applied":..}
[[nodiscard]] boost::json::object image_json(const Look& look);

// Box, landmarks, detection, quality: what is seen in every face, whoever it is.
[[nodiscard]] boost::json::object face_json(const attendance::FaceEmbedding& face);

// Score and issues by the standard limits.
[[nodiscard]] boost::json::object quality_json(const FaceMeasures& measures);

// The fields that every look's answer ends with, and its stages in Server-Timing.
class Stopwatch {
 public:
  [[nodiscard]] double milliseconds() const;

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};
void add_machine(boost::json::object& reply, const Site& site, const Stopwatch& watch);
[[nodiscard]] std::vector<Timing> stages(const attendance::StageTimes& times, std::optional<double> search = {});
[[nodiscard]] std::vector<Timing> stages(const attendance::UploadResult& result);

}  // namespace wajah::server
