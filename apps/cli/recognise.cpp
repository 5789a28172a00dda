// wajah recognise: whose faces are in a photo, among the people of the data folder.
#include "cli/attendance.hpp"
#include "cli/commands.hpp"
#include "cli/folder_settings.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/report.hpp"

#include <wajah/error.hpp>

#include <boost/json.hpp>

#include <algorithm>

namespace wajah::cli {
namespace {

namespace json = boost::json;
using attendance::RecogniseResult;

void print_as_json(const std::string& photo, const RecogniseResult& result, double ms) {
  json::array results;
  for (const attendance::FaceResult& face : result.results) {
    results.push_back(json::object{{"nik", face.nik ? json::value(*face.nik) : json::value(nullptr)},
                                   {"name", face.name},
                                   {"accuracy", rounded(face.accuracy, 6)},
                                   {"similarity", rounded(face.similarity, 6)},
                                   {"margin", rounded(face.margin, 6)},
                                   {"box", json_of(face.box)}});
  }
  print_json(json::object{{"image", photo},
                          {"results", std::move(results)},
                          {"nik_input", result.nik_input},
                          {"nik_matched", result.nik_matched},
                          {"face_num", result.face_num},
                          {"message", result.message},
                          {"error", nullptr},
                          {"ms", json::object{{"total", rounded(ms)}}}});
}

// A line of the same fields for a photo that cannot be read, so that every photo has one.
void print_unreadable(const std::string& photo, const std::string& nik, const std::string& reason) {
  print_json(json::object{{"image", photo},
                          {"results", json::array{}},
                          {"nik_input", nik},
                          {"nik_matched", false},
                          {"face_num", 0},
                          {"message", nullptr},
                          {"error", reason},
                          {"ms", nullptr}});
}

// Throws Error (input) that says what is wrong with a photo that is none.
RecogniseResult recognise(attendance::Service& service, const std::string& nik, const std::string& photo) try {
  return service.recognise(nik, read_photo(photo));
} catch (const attendance::Refusal& refusal) {
  if (refusal.cause() != attendance::Cause::undecodable) throw;
  fail(ErrorKind::input, "{}: {}", photo, refusal.skipped().front().reason);
}

void print_as_text(const std::string& photo, const RecogniseResult& result, double ms) {
  fmt::print("{}: {} face{}, {:.1f} ms\n", photo, result.face_num, result.face_num == 1 ? "" : "s", ms);
  for (const attendance::FaceResult& face : result.results) {
    const std::string who = face.nik ? fmt::format("{} ({})", face.name, *face.nik) : face.name;
    fmt::print("  {:<20} {}  similarity {:.3f}, confidence {:.1f} %, margin {:.3f}\n", text_of(face.box), who,
               face.similarity, face.accuracy * 100, face.margin);
  }
  if (!result.nik_input.empty()) {
    fmt::print("  claimed {}: {}\n", result.nik_input, result.nik_matched ? "MATCHED" : "not matched");
  }
}

bool positive(const RecogniseResult& result) {
  if (!result.nik_input.empty()) return result.nik_matched;
  return std::ranges::any_of(result.results, [](const auto& face) { return face.nik.has_value(); });
}

int run(Arguments arguments) {
  CommonOptions common;
  std::string nik;
  std::vector<std::string> photos;
  OptionSet set("recognise [--nik NIK] [options] PHOTO...",
                "Says whose faces are in the photos, and notes it as attendance like the server. Exit 0: the person of "
                "--nik (without it: somebody known) is in every photo, 1: not.");
  set.add("nik", nik, "NIK", "who the photo is claimed to show");
  set.operands(photos, "PHOTO", 1, std::size_t(-1));
  set.common(common, {.device = true, .mtcnn = true, .weights = true, .mirror = true, .data = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  require_data_folder(common);
  Attendance attendance(common, attendance::Purpose::recognise, folder_settings(common));

  bool all = true;
  const int status = for_each_input("recognise", photos, [&](const std::string& photo) {
    const Stopwatch watch;
    RecogniseResult result;
    try {
      result = recognise(attendance.service(), nik, photo);
    } catch (const Error& error) {
      if (common.json && error.kind() == ErrorKind::input) {
        print_unreadable(photo, nik, std::string(unnamed(photo, error.what())));
      }
      throw;
    }
    const double ms = watch.milliseconds();
    all = all && positive(result);
    if (common.json) {
      print_as_json(photo, result, ms);
    } else {
      print_as_text(photo, result, ms);
    }
  });
  if (status != exit_yes) return status;
  return all ? exit_yes : exit_no;
}

}  // namespace

const Command recognise_command{"recognise", "says who is in a photo", run};

}  // namespace wajah::cli
