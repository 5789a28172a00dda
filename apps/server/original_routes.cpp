#include "server/original_routes.hpp"

#include "server/api/attendance_json.hpp"
#include "server/api/backend.hpp"
#include "server/api/looking.hpp"
#include "server/api/people.hpp"
#include "server/api/values.hpp"
#include "server/text.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace wajah::server {
namespace json = boost::json;

namespace {

using attendance::Cause;

json::value nullable(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value(nullptr);
}

json::object result_json(const attendance::FaceResult& face) {
  return {{"nik", nullable(face.nik)}, {"name", face.name}, {"accuracy", face.accuracy}};
}

// The upload's own refusals, whose shapes differ from the route's.
std::optional<Reply> upload_refusal(const attendance::Refusal& refusal) {
  switch (refusal.cause()) {
    case Cause::name_not_upper: return detail_reply(400, "Nama must be in capital letters");
    case Cause::too_many_files: return fault_reply({FaultKind::too_many_files, refusal.what()});
    case Cause::no_files: return missing_reply({"files"});
    default: return std::nullopt;
  }
}

// The original's log is a line; the attendance book wants to know as well.
void enter_in_book(Site& site, const Request& request, const attendance::RecogniseResult& result) {
  if (!site.backend || !result.nik_matched) return;
  const auto& face = result.results.front();
  attendance::CheckIn check;
  check.person = *face.person;
  check.site = request.caller.site.value_or("");
  check.source = attendance::Source::original;
  check.similarity = face.similarity;
  check.actor = request.caller.name;
  try {
    const auto checked = site.backend->book.check(check);
    if (checked.duplicate) return;
    site.backend->announce("attendance.recorded", checked_json(checked, *site.backend->book.calendar()), face.person);
  } catch (const Error& error) {
    site.warn(fmt::format("request {}: not in the attendance book: {}", request.id, error.what()));
  }
}

// What is done on these routes is written down and told as on /api/v1. It is done by then: a caller who is told
// otherwise would do it again.
template <class Note>
void write_down(Site& site, const Request& request, Note note) {
  if (!site.backend) return;
  try {
    note(*site.backend);
  } catch (const Error& error) {
    site.warn(fmt::format("request {}: not in the audit log: {}", request.id, error.what()));
  }
}

bool is_somebody_else(const attendance::FaceResult& face, const attendance::RecogniseResult& result) {
  return face.nik && *face.nik != result.nik_input;
}

}  // namespace

std::string skipped_text(std::span<const attendance::SkippedFile> skipped) {
  constexpr std::size_t most = 2048;
  std::string result;
  for (std::size_t i = 0; i < skipped.size(); ++i) {
    auto reason = header_text(skipped[i].reason);
    std::erase(reason, ',');
    const auto item = fmt::format("{}{}: {}", i ? ", " : "", percent_encode(skipped[i].filename), reason);
    if (result.size() + item.size() > most)
      return fmt::format("{}{}and {} more", result, i ? ", " : "", skipped.size() - i);
    result += item;
  }
  return result;
}

Reply upload(Site& site, Request& request) {
  const auto& nik = *request.form.text("nik");
  const auto& name = *request.form.text("nama");
  std::vector<attendance::File> files;
  for (auto& file : request.form.files("files")) files.push_back({std::move(file.filename), file.bytes});
  try {
    auto result = site.api->upload(nik, name, files);
    auto reply = json_reply(
        200,
        {{"success", true},
         {"message", fmt::format("Successfully uploaded {} images for NIK {}, Name {}", result.stored, nik, name)}});
    write_down(site, request, [&](Backend& backend) {
      const auto& person = result.person;
      audit(backend, request, "person.enrol", person.id, person.nik,
            {{"stored", result.stored}, {"rejected", result.skipped.size()}});
      backend.announce("person.enrolled",
                       {{"person", mention(person)}, {"photos", backend.people.photos(person.id).size()}}, person.id);
      backend.files.enrolled(result, files);
    });
    site.api->wait_for(result);
    reply.timings = stages(result);
    if (!result.skipped.empty()) reply.with("X-Wajah-Skipped", skipped_text(result.skipped));
    return reply;
  } catch (const attendance::Refusal& refusal) {
    if (auto reply = upload_refusal(refusal)) return *reply;
    throw;
  }
}

Reply recognise(Site& site, Request& request) {
  const auto file = request.form.files("file").front();
  try {
    auto result = site.api->recognise(*request.form.text("nik_input"), file.bytes);
    enter_in_book(site, request, result);
    json::array faces;
    for (auto& face : result.results) {
      if (!site.compat.disclose_other && is_somebody_else(face, result)) {
        face.nik.reset();
        face.name = attendance::unknown_name;
      }
      faces.push_back(result_json(face));
    }
    auto reply = json_reply(200, json::object{{"results", std::move(faces)},
                                              {"nik_input", result.nik_input},
                                              {"nik_matched", result.nik_matched},
                                              {"face_num", result.face_num},
                                              {"message", result.message}});
    reply.timings = stages(result.times, result.search);
    return reply;
  } catch (const attendance::Refusal& refusal) {
    if (refusal.cause() != Cause::undecodable) throw;
    return message_reply(site.compat.errors_500 ? 500 : 400, "An error occurred during face recognition")
        .with("X-Wajah-Error", header_text(refusal.what()));
  }
}

Reply remove_person(Site& site, Request& request) {
  const auto& nik = *request.form.text("nik_hapus");
  const auto& name = *request.form.text("nama");
  const auto result = site.api->remove(nik, name);
  write_down(site, request, [&](Backend& backend) {
    const auto id = id_text('p', result.person.id);
    audit(backend, request, "person.remove", std::nullopt, id);
    backend.announce("person.removed", {{"id", id}});
    (void)backend.depart(result.person, false);
  });
  if (result.trained) {
    const auto message =
        fmt::format("Successfully deleted data for NIK {}, Name {} and retrained the model", nik, name);
    return json_reply(200, {{"success", true}, {"message", message}, {"training_success", true}});
  }
  site.warn(fmt::format("request {}: training after a removal failed: {}", request.id, result.training_error));
  return json_reply(500,
                    {{"success", false},
                     {"message", "Training failed after deletion: the person is gone and the former model serves on"},
                     {"training_success", false}});
}

}  // namespace wajah::server
