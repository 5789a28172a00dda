// wajah keys: API keys of a data folder, and the key its templates are sealed with. Needs no models.
#include "attendance/data_folder.hpp"
#include "attendance/site_time.hpp"
#include "attendance/storage/sqlite_audit_log.hpp"
#include "attendance/storage/sqlite_key_store.hpp"
#include "cli/attendance.hpp"
#include "cli/commands.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/report.hpp"
#include "cli/verbs.hpp"

#include <wajah/error.hpp>
#include <wajah/text.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <sstream>

namespace wajah::cli {
namespace {

namespace json = boost::json;
using attendance::ApiKey;
using attendance::Time;

constexpr std::array<std::string_view, 5> roles{"admin", "hr", "kiosk", "auditor", "viewer"};
const attendance::Zone& utc() {
  static const attendance::Zone zone("Etc/UTC");
  return zone;
}

// The folder's keys, for as long as no server has the folder: a running one makes and revokes keys itself.
struct Keys {
  explicit Keys(const CommonOptions& options)
      : folder(options.data),
        database(folder, {options.storage_key_file, {}}),
        keys(database, attendance::server_secret(folder.path())),
        log(database) {}

  void note(const std::string& action, const std::string& key) {
    log.append({std::chrono::system_clock::now(), "cli", action, std::nullopt, "key:" + key, "{}"});
  }

  attendance::DataFolder folder;
  attendance::Database database;
  attendance::SqliteKeyStore keys;
  attendance::SqliteAuditLog log;
};

std::vector<std::string> words_of(const std::string& list) {
  std::istringstream text(list);
  std::vector<std::string> words;
  for (std::string word; std::getline(text, word, ',');) {
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

json::value text_or_null(const std::optional<Time>& at) {
  return at ? json::value(utc().rfc3339(*at)) : json::value(nullptr);
}

std::string_view state_of(const ApiKey& key, Time now) {
  if (key.revoked_at) return "revoked";
  if (!key.usable) return "of another server.secret";
  return key.in_force(now) ? "in force" : "expired";
}

json::object json_of(const ApiKey& key) {
  return {{"id", key.id},
          {"name", key.name},
          {"role", key.role},
          {"scopes", json::value_from(key.scopes)},
          {"site", key.site},
          {"state", state_of(key, std::chrono::system_clock::now())},
          {"created", utc().rfc3339(key.created_at)},
          {"expires", text_or_null(key.expires_at)},
          {"revoked", text_or_null(key.revoked_at)},
          {"last_used", text_or_null(key.last_used_at)}};
}

int create(Arguments arguments) {
  CommonOptions common;
  attendance::NewKey key;
  std::string scopes;
  int days = 0;
  key.role = "viewer";
  OptionSet set("keys create --name NAME [options]", "Makes an API key and prints it: it is shown this once.");
  set.add("name", key.name, "NAME", "what it is for, for people");
  set.add("role", key.role, "ROLE", "admin, hr, kiosk, auditor or viewer");
  set.add("scopes", scopes, "A,B", "more than the role allows, separated by commas");
  set.add("site", key.site, "CODE", "the only site it is good for");
  set.add("days", days, "N", "how long it is good for; 0: until it is revoked");
  set.common(common, {.data = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  if (key.name.empty()) fail(ErrorKind::usage, "--name is missing: what is the key for?");
  if (std::ranges::find(roles, key.role) == roles.end()) {
    fail(ErrorKind::usage, "--role {}: expected {}", quote(key.role), fmt::join(roles, ", "));
  }
  if (days < 0) fail(ErrorKind::usage, "--days {}: expected 0 or more", days);
  key.scopes = words_of(scopes);
  const Time now = std::chrono::system_clock::now();
  if (days > 0) key.expires_at = now + std::chrono::hours(24) * days;
  Keys keys(common);
  const auto issued = keys.keys.issue(key, now);
  keys.note("key.create", issued.key.id);
  if (common.json) {
    auto object = json_of(issued.key);
    object["key"] = issued.text;
    print_json(object);
  } else {
    fmt::print("{}\n", issued.text);
    fmt::print(stderr, "key {} ({}) for {}; keep it now, it cannot be shown again\n", issued.key.id, key.role,
               key.name);
  }
  return exit_yes;
}

int list(Arguments arguments) {
  CommonOptions common;
  OptionSet set("keys list [--data DIR] [--json]",
                "Lists the API keys, revoked ones included; never the keys themselves.");
  set.common(common, {.data = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  require_data_folder(common);
  Keys keys(common);
  for (const ApiKey& key : keys.keys.keys()) {
    if (common.json) {
      print_json(json_of(key));
    } else {
      fmt::print("{}  {:<8} {:<24} {}, last used {}\n", key.id, key.role, key.name,
                 state_of(key, std::chrono::system_clock::now()),
                 key.last_used_at ? utc().rfc3339(*key.last_used_at) : "never");
    }
  }
  return exit_yes;
}

int revoke(Arguments arguments) {
  CommonOptions common;
  std::vector<std::string> ids;
  OptionSet set("keys revoke ID... [--data DIR]", "Revokes API keys, for good.");
  set.operands(ids, "ID", 1, std::size_t(-1));
  set.common(common, {.data = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  require_data_folder(common);
  Keys keys(common);
  return for_each_input("keys revoke", ids, [&](const std::string& id) {
    if (!keys.keys.revoke(id, std::chrono::system_clock::now())) {
      fail(ErrorKind::input, "there is no key {} that could be revoked; 'wajah keys list' shows them", quote(id));
    }
    keys.note("key.revoke", id);
    if (common.json) {
      print_json(json::object{{"id", id}, {"state", "revoked"}});
    } else {
      fmt::print("{} revoked\n", id);
    }
  });
}

int make_file(Arguments arguments) {
  std::vector<std::string> files;
  OptionSet set("keys make-file FILE", "Makes the key file that templates are sealed with (storage.key_file).");
  set.operands(files, "FILE", 1, 1);
  if (!set.parse(arguments)) return exit_yes;
  attendance::Vault::make_file(files[0]);
  fmt::print("{}\nkeep a copy elsewhere: without it the templates are lost\n", files[0]);
  return exit_yes;
}

int rotate(Arguments arguments) {
  CommonOptions common;
  std::string new_file;
  bool open = false;
  OptionSet set("keys rotate --storage-key-file OLD --new-key-file NEW [--data DIR]",
                "Seals every template with another key, all of them or none.");
  set.add("new-key-file", new_file, "FILE", "the key from now on");
  set.add("lay-open", open, "no key from now on: templates lie open in the database");
  set.common(common, {.data = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  if (open == !new_file.empty()) fail(ErrorKind::usage, "say --new-key-file FILE or --lay-open, one of them");
  require_data_folder(common);
  std::optional<attendance::Vault> to;
  if (!open) to = attendance::Vault::open_file(new_file);
  const attendance::DataFolder folder(common.data);
  attendance::Database database(folder, {common.storage_key_file, {}});
  std::optional<Progress> progress;
  const auto rekeyed = database.rekey(std::move(to), [&](std::size_t done, std::size_t total) {
    if (!progress) progress.emplace("sealing", total);
    progress->show(done);
  });
  attendance::SqliteAuditLog(database).append(
      {std::chrono::system_clock::now(), "cli", "storage.rekey", std::nullopt, "", "{}"});
  if (common.json) {
    print_json(json::object{{"templates", rekeyed.templates}, {"damaged", rekeyed.damaged}});
  } else {
    fmt::print("{} templates sealed anew, {} damaged ones removed\n", rekeyed.templates, rekeyed.damaged);
  }
  return exit_yes;
}

int run(Arguments arguments) {
  static constexpr std::array verbs{Command{"create", "makes an API key and prints it once", create},
                                    Command{"list", "lists the API keys", list},
                                    Command{"revoke", "revokes API keys", revoke},
                                    Command{"make-file", "makes a key file for sealing templates", make_file},
                                    Command{"rotate", "seals all templates with another key", rotate}};
  return run_verb("keys",
                  "API keys of a data folder that no server is using (a running server does the same at "
                  "/api/v1/keys), and the key that templates are sealed with.",
                  verbs, arguments);
}

}  // namespace

const Command keys_command{"keys", "makes, lists and revokes API keys", run};

}  // namespace wajah::cli
