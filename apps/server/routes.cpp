#include "server/route.hpp"

#include "server/access/session_routes.hpp"
#include "server/api/admin_routes.hpp"
#include "server/api/attendance_routes.hpp"
#include "server/api/documented.hpp"
#include "server/api/people_routes.hpp"
#include "server/api/vision_routes.hpp"
#include "server/docs_routes.hpp"
#include "server/original_routes.hpp"
#include "server/system_routes.hpp"

#include <vector>

namespace wajah::server {
namespace {

constexpr std::string_view html_type = "text/html";

constexpr Field upload_fields[] = {
    {"nik", FieldKind::text, "Employee number: [A-Za-z0-9][A-Za-z0-9._-]{0,63}"},
    {"nama", FieldKind::text, "Name in capital letters"},
    {"files", FieldKind::files, "1 to 100 photos, each of this one person: JPEG, PNG or WebP"},
};
constexpr Field recognise_fields[] = {
    {"nik_input", FieldKind::text, "The employee number that the person claims"},
    {"file", FieldKind::file, "One photo: JPEG, PNG or WebP"},
};
constexpr Field remove_fields[] = {
    {"nik_hapus", FieldKind::text, "Employee number"},
    {"nama", FieldKind::text, "Name, exactly as it was enrolled"},
};

constexpr Answer too_large{413, "The body is larger than the route takes", json_type, "Detail"};
constexpr Answer missing{422, "A field is missing or empty", json_type, "Missing"};

constexpr Answer upload_answers[] = {
    {200,
     "Stored; the person is recognisable from now on. The message counts the photos of the upload that the person has "
     "now, the same bytes once. Photos without a usable face are left out and named in the header X-Wajah-Skipped.",
     json_type, "Success"},
    {400,
     "Nothing was stored: the form is broken or the name not in capitals (detail), more than 100 files, a file that "
     "is no picture, no usable face, a NIK or name that is not allowed, or somebody deactivated (message).",
     json_type, "DetailOrFailure"},
    too_large,
    missing,
    {500, "A fault of the server, or training failed: the photos are stored, the former model serves on", json_type,
     "Failure"},
    {503, "Busy, shutting down, or started without models; Retry-After says when to try again", json_type, "Failure"},
    {504, "Not done in time; nothing was stored", json_type, "Failure"},
};
constexpr Answer recognise_answers[] = {
    {200,
     "One result for each face. nik_matched only with exactly one face that belongs to nik_input with an accuracy of "
     "0.7 or more.",
     json_type, "Recognition"},
    {400, "The form is broken (detail), or the file is no picture (message)", json_type, "DetailOrMessage"},
    too_large,
    missing,
    {500, "A fault of the server", json_type, "Message"},
    {503, "Busy, shutting down, or started without models; Retry-After says when to try again", json_type, "Message"},
    {504, "Not done in time", json_type, "Message"},
};
constexpr Answer remove_answers[] = {
    {200, "The person is gone and not matchable any more", json_type, "Removal"},
    {400, "The form is broken", json_type, "Detail"},
    {404, "Nobody has that NIK and that name", json_type, "Failure"},
    too_large,
    missing,
    {500, "A fault of the server, or training failed: the person is gone, the former model serves on without them",
     json_type, "Removal"},
    {503, "Busy, shutting down, or started without models; Retry-After says when to try again", json_type, "Failure"},
    {504, "Not known to be done in time; ask again", json_type, "Failure"},
};
constexpr Answer landing_answers[] = {
    {200, "Where to find what: a page for browsers, JSON for others", json_type, "Landing"}};
constexpr Answer health_answers[] = {{200, "The process answers", json_type, "Status"}};
constexpr Answer ready_answers[] = {{200, "Models are loaded and have done one real inference", json_type, "Status"},
                                    {503, "Not now; reason says why", json_type, "Status"}};
constexpr Answer metrics_answers[] = {{200, "Prometheus text", "text/plain", ""},
                                      {404, "Turned off", json_type, "Detail"}};
constexpr Answer version_answers[] = {{200, "Of the program, its device and its model", json_type, "Version"}};
constexpr Answer openapi_answers[] = {{200, "OpenAPI 3.1", json_type, "Any"}};
constexpr Answer page_answers[] = {{200, "A page", html_type, ""}};
constexpr Answer asset_answers[] = {{200, "A file", "text/plain", ""}, {404, "None of that name", json_type, "Detail"}};
constexpr Answer problem_answers[] = {{200, "A page", html_type, ""}, {404, "No such code", json_type, "Detail"}};
constexpr Answer style_answers[] = {{200, "The style sheet of the pages", "text/css", ""}};

constexpr Route original_table[] = {
    {.verb = Verb::post,
     .path = "/upload",
     .tag = "original",
     .summary = "Enrol a person",
     .about = "Adds photos to a person, new or known by that NIK.",
     .scope = Scope::people_write,
     .lane = Lane::manage,
     .body_limit = 200 * mib,
     .fields = upload_fields,
     .answers = upload_answers,
     .handle = upload,
     .shape = Shape::success},
    {.verb = Verb::post,
     .path = "/recognize",
     .tag = "original",
     .summary = "Recognise a photo",
     .about = "Says who is in the photo and whether it is the claimed person, and records it.",
     .scope = Scope::attendance_write,
     .lane = Lane::recognise,
     .body_limit = 10 * mib,
     .fields = recognise_fields,
     .answers = recognise_answers,
     .handle = recognise,
     .shape = Shape::message,
     .fault = "An error occurred during face recognition"},
    {.verb = Verb::remove,
     .path = "/hapus",
     .tag = "original",
     .summary = "Remove a person",
     .about = "Erases photos and embeddings. The form may be multipart or urlencoded.",
     .scope = Scope::people_write,
     .lane = Lane::manage,
     .body_limit = 64 * kib,
     .fields = remove_fields,
     .answers = remove_answers,
     .handle = remove_person,
     .shape = Shape::success},
};

constexpr Route page(std::string_view path, std::string_view summary, std::span<const Answer> answers,
                     Reply (*handle)(Site&, Request&), std::string_view tag = "pages") {
  return {.path = path, .tag = tag, .summary = summary, .answers = answers, .handle = handle};
}

constexpr Route metrics_route = {.path = "/metrics",
                                 .tag = "operations",
                                 .summary = "What the server has done and how it is",
                                 .scope = Scope::admin,
                                 .lane = Lane::query,
                                 .answers = metrics_answers,
                                 .handle = metrics,
                                 .without_models = true};

constexpr Route system_table[] = {
    metrics_route,
    page("/healthz", "Is the process alive?", health_answers, healthz, "operations"),
    page("/readyz", "Can it recognise?", ready_answers, readyz, "operations"),
    page("/version", "What is running", version_answers, version, "operations"),
    page("/", "Start page", landing_answers, landing),
    page("/docs", "Documentation to try", page_answers, docs),
    page("/docs/plain", "Documentation without scripts", page_answers, docs_plain),
    page("/docs/assets/{file}", "What /docs is made of", asset_answers, docs_asset),
    page("/problems/{code}", "What a problem means", problem_answers, problem_page),
    page("/redoc", "Documentation for reading", page_answers, redoc),
    page("/openapi.json", "This description", openapi_answers, openapi),
    page("/style.css", "Style of the pages", style_answers, style_sheet),
};

}  // namespace

std::span<const Route> routes() {
  static const auto all = [] {
    std::vector<Route> result;
    for (const std::span<const Route> part :
         {std::span<const Route>(original_table), vision_routes(), people_routes(), transfer_routes(), face_routes(),
          check_routes(), report_routes(), calendar_routes(), privacy_routes(), key_routes(), webhook_routes(),
          machine_routes(), std::span<const Route>(system_table)}) {
      result.insert(result.end(), part.begin(), part.end());
    }
    const auto accounts = session_routes();
    result.insert(result.end(), accounts.begin(), accounts.end());
    return result;
  }();
  return all;
}

}  // namespace wajah::server
