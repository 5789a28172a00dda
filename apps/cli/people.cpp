// wajah people: who is enrolled, and removing somebody. Needs no models.
#include "attendance/data_folder.hpp"
#include "attendance/site_time.hpp"
#include "attendance/sqlite_store.hpp"
#include "attendance/text.hpp"
#include "cli/attendance.hpp"
#include "cli/commands.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/suggest.hpp"

#include <wajah/error.hpp>
#include <wajah/text.hpp>

#include <boost/json.hpp>

#include <array>

namespace wajah::cli {
namespace {

namespace json = boost::json;

std::string date_of(attendance::Time at, const attendance::Zone& zone) {
  const attendance::LocalTime t = zone.local(at);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", t.year, t.month, t.day, t.hour, t.minute);
}

int list(attendance::Store& store, bool as_json) {
  const attendance::Zone zone("Asia/Jakarta");
  for (const auto& [person, photos, enrolled_at] : store.people()) {
    if (as_json) {
      print_json(json::object{{"nik", text(person.nik)},
                              {"name", text(person.name)},
                              {"photos", photos},
                              {"enrolled", date_of(enrolled_at, zone)}});
    } else {
      fmt::print("{:<20} {:<30} {:4} photos, since {}\n", person.nik, attendance::escape(person.name), photos,
                 date_of(enrolled_at, zone));
    }
  }
  return exit_yes;
}

int remove(attendance::Store& store, const std::string& nik, const std::string& name, bool as_json) {
  const auto removed = store.remove(nik, name);
  if (!removed) fail(ErrorKind::input, "nobody is enrolled as {} with the name {}", quote(nik), quote(name));
  if (as_json) {
    print_json(json::object{{"nik", text(nik)}, {"name", text(name)}, {"photos", removed->photos}});
  } else {
    fmt::print("{} ({}) and {} photo{} removed\n", name, nik, removed->photos, removed->photos == 1 ? "" : "s");
  }
  return exit_yes;
}

int run(Arguments arguments) {
  CommonOptions common;
  std::string nik, name;
  std::vector<std::string> verbs;
  OptionSet set("people list | people delete --nik NIK --nama NAME",
                "Lists who is enrolled, or removes a person with all photos and embeddings.");
  set.add("nik", nik, "NIK", "whom to delete");
  set.add("nama", name, "NAME", "their name: both must fit, so that a slip in a number erases nobody else");
  set.operands(verbs, "list or delete", 1, 1);
  set.common(common, {.data = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;

  constexpr std::array<std::string_view, 2> known{"list", "delete"};
  const bool deleting = verbs[0] == "delete";
  if (!deleting && verbs[0] != "list") {
    fail(ErrorKind::usage, "unknown verb {}{}", quote(verbs[0]), suggestion(verbs[0], known));
  }
  if (deleting && (nik.empty() || name.empty())) fail(ErrorKind::usage, "delete needs --nik and --nama");
  require_data_folder(common);
  const attendance::DataFolder folder(common.data);
  attendance::SqliteStore store(folder);
  return deleting ? remove(store, nik, name, common.json) : list(store, common.json);
}

}  // namespace

const Command people_command{"people", "lists or removes enrolled people", run};

}  // namespace wajah::cli
