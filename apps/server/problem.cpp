#include "server/problem.hpp"

#include "server/json.hpp"
#include "server/route.hpp"

#include <fmt/format.h>
#include <boost/json/object.hpp>
#include <wajah/quality.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace wajah::server {
namespace json = boost::json;

namespace {

// The limits as the checks have them, so that a hint never promises less or more than an enrolment asks for.
const std::string face_hint = fmt::format(
    "Take the photo from the front, in even light, with the face at least {:.0f} pixels wide ({:.0f} where the "
    "server's "
    "strictness is strict).",
    standard_limits.size, strict_limits.size);

const ProblemKind kinds[] = {
    {"bad_request", 400, "The request cannot be understood", "Permintaan tidak dapat dipahami",
     "Compare the request with /docs."},
    {"bad_body", 400, "The body cannot be read", "Isi permintaan tidak dapat dibaca",
     "Send well-formed JSON, or a form as your HTTP library makes it."},
    {"bad_cursor", 400, "The cursor is not one of this list", "Kursor bukan milik daftar ini",
     "Start again without a cursor, with the same filters."},
    {"key_missing", 401, "A key is needed", "Kunci diperlukan",
     "Send Authorization: Bearer wjh_..., or the header x-api-key."},
    {"key_invalid", 401, "The key does not hold", "Kunci tidak berlaku",
     "The key is unknown, expired or revoked; ask an administrator for another."},
    {"scope_missing", 403, "The key may not do this", "Kunci tidak berhak",
     "Ask an administrator for a key with the scope that `detail` names."},
    {"wrong_site", 403, "The key belongs to another site", "Kunci milik lokasi lain",
     "Leave the site out, or use a key of that site."},
    {"cross_site", 403, "Requests from another site's page are not taken", "Permintaan dari halaman lain ditolak",
     "Call the API from a program, or from this server's own pages."},
    {"forbidden", 403, "Not allowed", "Tidak diizinkan", "Ask an administrator."},
    {"not_found", 404, "Nothing is there", "Tidak ditemukan", "Compare the path with /docs."},
    {"person_unknown", 404, "No such person", "Orang tidak dikenal",
     "Look the person up with GET /api/v1/people?q=..."},
    {"face_unknown", 404, "The person has no such photo", "Foto tidak ada", "List them with GET .../faces."},
    {"method_not_allowed", 405, "The path has no such method", "Metode tidak diizinkan",
     "The header Allow names those it has."},
    {"too_slow", 408, "The body came too slowly", "Isi permintaan terlalu lambat", "Send it in one go."},
    {"nik_taken", 409, "The NIK belongs to somebody", "NIK sudah dipakai",
     "Change that person instead, or choose another NIK."},
    {"duplicate_face", 409, "The face belongs to somebody else", "Wajah sudah terdaftar",
     "Check whether both are one person; send force=true if they are two."},
    {"conflict", 409, "It does not fit what is there", "Tidak sesuai dengan keadaan sekarang",
     "Read the present state and decide again."},
    {"person_inactive", 409, "The person is deactivated", "Orang ini dinonaktifkan",
     "Activate the person first: PATCH .../people/{id} with active=true."},
    {"consent_missing", 409, "There is no consent", "Belum ada persetujuan",
     "Record the person's consent with POST .../consents first."},
    {"key_reused", 409, "The Idempotency-Key was used for another request", "Idempotency-Key sudah dipakai",
     "Use a new key for every new request."},
    {"changed_meanwhile", 412, "It was changed meanwhile", "Sudah diubah sementara itu",
     "Read it again and send its present ETag in If-Match."},
    {"too_large", 413, "The body is too large", "Isi permintaan terlalu besar",
     "Send fewer or smaller pictures; 2 megapixels a picture are plenty."},
    {"unsupported_type", 415, "The body's type is not taken here", "Jenis isi tidak didukung",
     "Send multipart/form-data, application/json or image/*, as /docs says for the route."},
    {"unsupported_image", 415, "The picture's format is not taken", "Format gambar tidak didukung",
     "Send JPEG, PNG or WebP; phones can be set to save JPEG instead of HEIC."},
    {"expectation_failed", 417, "Expect is not 100-continue", "Expect bukan 100-continue", "Leave the header out."},
    {"validation_failed", 422, "A value is missing or wrong", "Ada nilai yang kurang atau salah",
     "errors[] names every value and what was expected."},
    {"image_undecodable", 422, "The picture cannot be decoded", "Gambar tidak dapat dibaca",
     "Send the file as the camera wrote it; it is damaged or incomplete."},
    {"face_not_found", 422, "No usable face", "Wajah tidak ditemukan", face_hint},
    {"several_faces", 422, "More than one face", "Lebih dari satu wajah", "Send a photo with this one person only."},
    {"face_unusable", 422, "The face is not good enough", "Mutu wajah kurang",
     "errors[] says what is wrong with each photo; send better ones. force=true helps against not_same_person and "
     "duplicate_face only."},
    {"too_many_requests", 429, "Too many requests", "Terlalu banyak permintaan", "Wait as Retry-After says."},
    {"headers_too_large", 431, "The header is too large", "Header terlalu besar", "Send fewer and shorter fields."},
    {"internal", 500, "A fault of the server", "Kesalahan server",
     "Tell the administrator the request_id; the log says more."},
    {"not_trained", 500, "Stored, but training failed", "Tersimpan, tetapi pelatihan gagal",
     "It counts once a training succeeds: POST /api/v1/train."},
    {"busy", 503, "Busy", "Sibuk", "Try again as Retry-After says."},
    {"stopping", 503, "Shutting down", "Sedang berhenti", "Try again in a minute."},
    {"storage_unavailable", 503, "The data folder cannot be used now", "Penyimpanan tidak tersedia",
     "The administrator should look at the disk: /readyz and the log say more."},
    {"no_models", 503, "Started without models", "Model belum ada", "Run `wajah models fetch` and start again."},
    {"late", 504, "Not done in time", "Waktu habis", "Try again; if it happens often, the machine is too slow."},
    {"version", 505, "HTTP version not supported", "Versi HTTP tidak didukung", "Speak HTTP/1.1."},
};

bool prefers_indonesian(std::string_view accept_language) {
  const auto id = std::min(accept_language.find("id"), accept_language.find("in-"));
  return id != std::string_view::npos && id <= accept_language.find("en");
}

}  // namespace

std::span<const ProblemKind> problem_kinds() { return kinds; }

const ProblemKind& problem_kind(std::string_view code) {
  const auto found = std::ranges::find(kinds, code, &ProblemKind::code);
  if (found == std::end(kinds)) throw std::out_of_range("no problem has the code " + std::string(code));
  return *found;
}

std::string_view code_of(int status) {
  switch (status) {
    case 403: return "forbidden";
    case 409: return "conflict";
    case 422: return "validation_failed";
    case 500: return "internal";
    case 503: return "busy";
    default: break;
  }
  const auto found = std::ranges::find(kinds, status, &ProblemKind::status);
  return found == std::end(kinds) ? "bad_request" : found->code;
}

json::object error_entry(json::array location, std::string_view message, std::string_view type) {
  return {{"loc", std::move(location)}, {"msg", message}, {"type", type}};
}

Reply problem_reply(const Request& request, const ProblemKind& kind, std::string_view detail,
                    const json::array& errors) {
  auto page = std::string(kind.code);
  std::ranges::replace(page, '_', '-');
  const bool indonesian = prefers_indonesian(request.headers.get("accept-language"));
  json::object body{{"type", "/problems/" + page}, {"title", indonesian ? kind.title_id : kind.title},
                    {"status", kind.status},       {"detail", detail},
                    {"code", kind.code},           {"hint", kind.hint},
                    {"request_id", request.id},    {"errors", errors}};
  Reply reply{kind.status, "application/problem+json", to_text(body), {}};
  if (kind.status == 401) reply.with("WWW-Authenticate", "Bearer realm=\"wajah\"");
  if (kind.status == 503) reply.with("Retry-After", "1");
  return reply;
}

}  // namespace wajah::server
