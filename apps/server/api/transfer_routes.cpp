// Many people at once: a zip of photos with a list, or a whole archive; and the archive of everything.
#include "server/api/people_routes.hpp"

#include "attendance/bulk/bulk_import.hpp"
#include "attendance/bulk/unpack.hpp"
#include "attendance/storage/archive.hpp"
#include "attendance/text.hpp"
#include "server/api/documented.hpp"
#include "server/api/people.hpp"
#include "server/api/scratch.hpp"
#include "server/api/values.hpp"
#include "server/file_source.hpp"
#include "server/json.hpp"
#include "server/problem.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <filesystem>
#include <memory>
#include <utility>

namespace wajah::server {
namespace json = boost::json;
namespace fs = std::filesystem;
using attendance::Verdict;

namespace {

constexpr std::size_t import_limit = 1024 * mib;
constexpr std::uint64_t unpacked_limit = std::uint64_t{16} << 30;
constexpr std::size_t most_told = 1000;  // of the photos that were left out

// What a job needs after its request is gone.
struct Import {
  Import(const Backend& backend, Request& request)
      : folder(backend.options.temporary_folder, "import"), file(folder.path() / "upload.zip") {
    write_whole(file, request.files("file").front().bytes);
    for (const auto& given : request.files("csv")) {
      csv = folder.path() / "people.csv";
      write_whole(csv, given.bytes);
    }
    if (const auto* text = request.form.text("passphrase")) passphrase = *text;
    if (passphrase.empty()) passphrase = text_or(request.body, "passphrase", "");
    force = flag_in(request.body, "force").value_or(false);
    actor = request.caller.name;
  }

  [[nodiscard]] fs::path unpacked() const { return folder.path() / "unpacked"; }

  ScratchFolder folder;
  fs::path file, csv;
  std::string passphrase, actor;
  bool force = false;
};

// Messages tell of files by what they are called in the zip.
std::string without_folder(std::string text, const Import& import) {
  for (const auto& folder : {import.unpacked().string() + "/", import.folder.path().string() + "/"}) {
    for (auto at = text.find(folder); at != std::string::npos; at = text.find(folder, at))
      text.erase(at, folder.size());
  }
  return text;
}

json::object report_json(const attendance::BulkReport& report, const Import& import) {
  json::array left_out;
  for (const Verdict& verdict : report.verdicts) {
    if (verdict.verdict == "enrolled" || left_out.size() == most_told) continue;
    left_out.push_back(json::object{{"file", without_folder(verdict.file, import)},
                                    {"nik", verdict.nik},
                                    {"reason", without_folder(verdict.reason, import)}});
  }
  return {{"people", report.people},        {"people_left_out", report.people_left_out},
          {"photos", report.photos},        {"photos_left_out", report.photos_left_out},
          {"attendance_rows", report.rows}, {"events", report.events},
          {"left_out", std::move(left_out)}};
}

void note(Backend& backend, const std::string& actor, std::string_view action, const json::object& detail) {
  backend.audit.append({backend.options.now(), actor, std::string(action), std::nullopt, "", to_text(detail)});
}

attendance::BulkRules rules_of(Backend& backend, bool force) {
  attendance::BulkRules rules;
  rules.force = force ? attendance::Force::yes : attendance::Force::no;
  rules.stopping = [&backend] { return backend.job_runner.stopping(); };
  rules.has_site = [&backend](std::string_view code) { return backend.book.calendar()->site(code) != nullptr; };
  rules.consent = backend.options.require_consent;
  rules.enrolled = [&backend](const attendance::UploadResult& uploaded, std::span<const attendance::File> files) {
    backend.files.enrolled(uploaded, files);
  };
  if (backend.options.require_consent) {
    rules.objection = [&backend](std::string_view nik) -> std::string {
      const auto person = backend.people.person_with(nik);
      if (person && backend.consents.in_force(person->person.id)) return {};
      return "there is no consent; create the person and record it first";
    };
  }
  return rules;
}

json::object import_photos(Backend& backend, const Import& import, const JobRunner::Progress& progress) {
  fs::create_directory(import.unpacked());
  attendance::BulkReport report;
  std::vector<Verdict> odd;
  attendance::unpack(import.file, import.unpacked(), odd);
  const auto source = attendance::read_unpacked(import.unpacked(), import.csv);
  report.verdicts = std::move(odd);
  report.verdicts.insert(report.verdicts.end(), source.odd.begin(), source.odd.end());
  const auto tell = [&](std::size_t done, std::size_t total) {
    progress(static_cast<std::int64_t>(done), static_cast<std::int64_t>(total));
  };
  const auto told = [&] {
    note(backend, import.actor, "people.import", {{"people", report.people}, {"photos", report.photos}});
    backend.announce("people.imported", {{"people", report.people}, {"photos", report.photos}});
  };
  try {
    attendance::enrol_source(backend.service, backend.people, source, rules_of(backend, import.force), report, tell);
    attendance::import_logs(backend.store, backend.records, source, backend.book.options(), report,
                            [](std::size_t, std::size_t) {});
  } catch (const Error&) {
    told();  // what was enrolled until then stays
    throw;
  }
  told();
  return report_json(report, import);
}

json::object import_archive(Backend& backend, const Import& import, const JobRunner::Progress& progress) {
  attendance::ImportOptions options;
  options.most_bytes = unpacked_limit;
  if (!import.passphrase.empty()) options.passphrase = import.passphrase;
  std::size_t told = 0;
  options.progress = [&](std::size_t done, std::size_t total) {
    if (done != total && done < told + total / 100 + 1) return;  // each step is written down
    told = done;
    progress(static_cast<std::int64_t>(done), static_cast<std::int64_t>(total));
  };
  const auto r = attendance::import_archive(backend.database, import.file, options);
  json::array left_out;
  for (const auto& conflict : r.conflicts)
    left_out.push_back(json::object{{"file", ""}, {"nik", ""}, {"reason", conflict}});
  const json::object counts{{"people", r.people_added},
                            {"people_known", r.people_known},
                            {"people_left_out", static_cast<std::int64_t>(r.conflicts.size()) + r.erased_before},
                            {"photos", r.photos_added},
                            {"damaged", r.damaged},
                            {"attendance_rows", r.attendance_added},
                            {"events", r.events_added},
                            {"consents", r.consents_added}};
  note(backend, import.actor, "archive.import", counts);
  backend.announce("people.imported", {{"people", r.people_added}, {"photos", r.photos_added}});
  backend.service.reload();
  json::object result = counts;
  result["left_out"] = std::move(left_out);
  return result;
}

Reply import_people(Site& site, Request& request) {
  require_all_sites(request);
  auto& backend = *site.backend;
  const auto import = std::make_shared<Import>(backend, request);
  const bool archive = attendance::is_archive(import->file);
  if (archive) require_scope(request, Scope::admin);  // it brings attendance and an audit log as well
  const auto job = backend.job_runner.start("import", 0, [&backend, import, archive](const auto& progress) {
    try {
      return archive ? import_archive(backend, *import, progress) : import_photos(backend, *import, progress);
    } catch (const Error& error) {
      throw Error(error.kind(), without_folder(error.what(), *import));
    }
  });
  audit(backend, request, "people.import_begun", std::nullopt, id_text('j', job.id));
  return json_reply(202, job_json(job, backend.book.options().zone))
      .with("Location", "/api/v1/jobs/" + id_text('j', job.id));
}

Reply export_people(Site& site, Request& request) {
  auto& backend = *site.backend;
  attendance::ExportOptions options;
  options.key_file = backend.options.key_file;
  if (const auto* passphrase = request.headers.find("x-wajah-passphrase")) options.passphrase = *passphrase;
  if (!options.key_file.empty() && !options.passphrase) {
    const std::string detail = "Templates are sealed here and must not leave open.";
    throw Problem("validation_failed", detail, {error_entry({"header", "X-Wajah-Passphrase"}, detail, "missing")});
  }
  if (options.passphrase && options.passphrase->size() < attendance::least_passphrase) {
    const auto detail = fmt::format("A passphrase of {} characters, expected {} or more.", options.passphrase->size(),
                                    attendance::least_passphrase);
    throw Problem("validation_failed", detail, {error_entry({"header", "X-Wajah-Passphrase"}, detail, "too_short")});
  }
  Reply reply{200, "application/vnd.wajah.archive", {}, {}};
  reply.with("Content-Disposition", "attachment; filename=\"people.wajah\"");
  if (request.method == "HEAD") return reply;  // whoever only asks must not make an archive of everybody
  const ScratchFolder folder(backend.options.temporary_folder, "export");
  const auto file = folder.path() / "people.wajah";
  const auto report = attendance::export_archive(backend.database.file().parent_path(), file, options);
  json::object rows;
  for (const auto& part : report.parts) rows[part.name] = part.rows;
  audit(backend, request, "archive.export", std::nullopt, "",
        {{"rows", std::move(rows)}, {"sealed", options.passphrase.has_value()}});
  reply.source = std::make_shared<FileSource>(file);
  return reply;
}

constexpr Field import_fields[] = {
    {"file", FieldKind::file,
     "A zip: <nik>/*.jpg, <nik>.jpg or <nik>_1.jpg and one CSV; or train_img/ and logging/ of the original service; or "
     "a .wajah archive"},
    {"csv", FieldKind::file,
     "The list, if it is not in the zip: titles nik and nama (or name), perhaps group, site, "
     "external_id",
     false},
    {"force", FieldKind::text, "Take them though a face resembles somebody else", false, R"({"type":"boolean"})"},
    {"passphrase", FieldKind::text, "Of a sealed archive", false,
     R"({"type":"string","minLength":1,"maxLength":1024})"},
};
constexpr Parameter import_parameters[] = {idempotency_parameter};
constexpr Parameter export_parameters[] = {{Where::header, "X-Wajah-Passphrase",
                                            "Seals the archive; needed where templates are sealed",
                                            R"({"type":"string","minLength":1,"maxLength":1024})"}};

constexpr Answer import_answers[] = {
    {202, "Begun; Location names the job, whose result says what was left out and why", json_type, "Job"},
    wrong_values};
constexpr Answer export_answers[] = {{200, "The archive", "application/vnd.wajah.archive", ""}, wrong_values};

constexpr Route table[] = {
    {.verb = Verb::post,
     .path = "/api/v1/people:import",
     .tag = "people",
     .summary = "Enrol many people",
     .about = "As a job: what cannot be used keeps nothing else out. Importing the same again changes nothing. An "
              "archive needs the scope admin and is added whole or not at all.",
     .scope = Scope::people_write,
     .lane = Lane::manage,
     .body_limit = import_limit,
     .parameters = import_parameters,
     .fields = import_fields,
     .answers = import_answers,
     .handle = import_people,
     .shape = Shape::problem},
    {.verb = Verb::get,
     .path = "/api/v1/people:export",
     .tag = "people",
     .summary = "Everything in one archive",
     .about = "People, their templates and kept pictures, attendance, consents and the audit log; no keys or log-ins.",
     .scope = Scope::admin,
     .lane = Lane::manage,
     .parameters = export_parameters,
     .answers = export_answers,
     .handle = export_people,
     .shape = Shape::problem},
};

}  // namespace

std::span<const Route> transfer_routes() { return table; }

}  // namespace wajah::server
