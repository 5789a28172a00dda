// wajah people: who is enrolled, and removing somebody. Works without models; with them it also tells whose photos the
// embedder in use does not know.
#include "attendance/analyser.hpp"
#include "attendance/data_folder.hpp"
#include "attendance/site_time.hpp"
#include "attendance/sqlite_store.hpp"
#include "attendance/text.hpp"
#include "cli/attendance.hpp"
#include "cli/commands.hpp"
#include "cli/folder_settings.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/verbs.hpp"
#include "cli/weight_files.hpp"
#include "server/model_card.hpp"

#include <wajah/embed/embedder.hpp>
#include <wajah/error.hpp>
#include <wajah/text.hpp>

#include <boost/json.hpp>

#include <array>
#include <map>
#include <optional>
#include <string_view>

namespace wajah::cli {
namespace {

namespace json = boost::json;

std::string date_of(attendance::Time at, const attendance::Zone& zone) {
  const attendance::LocalTime t = zone.local(at);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", t.year, t.month, t.day, t.hour, t.minute);
}

// The id of the embedder in use; nothing without one. Who is enrolled is told also where its file cannot be read.
std::optional<std::string> model_in_use(const CommonOptions& common) try {
  const auto file = look_for_embedder(common);
  if (!file) return std::nullopt;
  const ModelCard card = card_of(server::open_embedder(*file, mirror_of(common)));
  return attendance::model_id(card, card.crop);
} catch (const Error& error) {
  if (error.kind() != ErrorKind::model) throw;
  fmt::print(stderr, "wajah people: {}; so nobody knows who needs new photos\n", error.what());
  return std::nullopt;
}

// By id, why somebody cannot be recognised by the embedder in use: "needs new photos", or "waits to be embedded again".
std::map<attendance::PersonId, std::string_view> unknown_to_model(attendance::Store& store,
                                                                  const CommonOptions& common) {
  const auto model = model_in_use(common);
  if (!model) return {};
  std::map<attendance::PersonId, std::string_view> people;
  for (const auto& [person, pictures] : store.waiting(*model)) {
    people[person.id] = pictures > 0 ? "waits to be embedded again" : "needs new photos";
  }
  return people;
}

int list(Arguments arguments) {
  CommonOptions common;
  OptionSet set(
      "people list [--data DIR] [--json]",
      "Lists who is enrolled, in the order of enrolment, and where the embedder in use can be read, who needs "
      "new photos for it.");
  set.common(common, {.weights = true, .mirror = true, .data = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  require_data_folder(common);
  const attendance::DataFolder folder(common.data);
  attendance::Database database(folder, {common.storage_key_file, {}});
  attendance::SqliteStore store(database);
  const attendance::Zone zone(folder_settings(common).attendance.zone);
  const auto unknown = unknown_to_model(store, common);
  for (const auto& [person, photos, enrolled_at, active] : store.people()) {
    const auto why = unknown.find(person.id);
    const std::string since = date_of(enrolled_at, zone);
    if (common.json) {
      json::object row{{"nik", person.nik}, {"name", person.name}, {"photos", photos}, {"enrolled", since}};
      if (why != unknown.end()) row["not_recognisable"] = why->second;
      print_json(row);
    } else {
      fmt::print("{:<20} {:<30} {:4} photo{}, since {}{}{}\n", person.nik, attendance::escape(person.name), photos,
                 photos == 1 ? "" : "s", since, why == unknown.end() ? "" : "; ",
                 why == unknown.end() ? "" : why->second);
    }
  }
  return exit_yes;
}

int remove(Arguments arguments) {
  CommonOptions common;
  std::string nik, name;
  OptionSet set("people delete --nik NIK --nama NAME [--data DIR]", "Removes a person with all photos and embeddings.");
  set.add("nik", nik, "NIK", "whom to delete");
  set.add("nama", name, "NAME", "their name: both must fit, so that a slip in a number erases nobody else");
  set.common(common, {.data = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  if (nik.empty() || name.empty()) fail(ErrorKind::usage, "--nik and --nama are both needed");
  require_data_folder(common);
  const attendance::DataFolder folder(common.data);
  attendance::Database database(folder, {common.storage_key_file, {}});
  attendance::SqliteStore store(database);
  const auto removed = store.remove(nik, name);
  if (!removed) fail(ErrorKind::input, "nobody is enrolled as {} with the name {}", quote(nik), quote(name));
  if (common.json) {
    print_json(json::object{{"nik", nik}, {"name", name}, {"photos", removed->photos}});
  } else {
    fmt::print("{} ({}) and {} photo{} removed\n", name, nik, removed->photos, removed->photos == 1 ? "" : "s");
  }
  return exit_yes;
}

int run(Arguments arguments) {
  static constexpr std::array verbs{Command{"list", "lists who is enrolled", list},
                                    Command{"delete", "removes a person", remove}};
  return run_verb("people", "Who is enrolled in the data folder. Needs no models, and no server running.", verbs,
                  arguments);
}

}  // namespace

const Command people_command{"people", "lists or removes enrolled people", run};

}  // namespace wajah::cli
