#include "server/api/person_files.hpp"

#include <wajah/error.hpp>

#include <fmt/format.h>

#include <utility>

namespace wajah::server {

// The tree lies beside the logs, as the original had it.
PersonFiles::PersonFiles(attendance::Service& service, attendance::PeopleStore& people, const Compat& compat, Warn warn)
    : service_(service),
      people_(people),
      compat_(compat),
      warn_(std::move(warn)),
      tree_(service.options().log_folder.parent_path()) {}

template <class Work>
bool PersonFiles::attempt(std::string_view what, Work&& work) {
  try {
    work();
    return true;
  } catch (const Error& error) {
    warn_(fmt::format("{}: {}", what, error.what()));
    return false;
  }
}

void PersonFiles::enrolled(const attendance::UploadResult& uploaded, std::span<const attendance::File> files) {
  if (!compat_.tree) return;
  if (uploaded.former_name) renamed(uploaded.person, *uploaded.former_name);
  (void)attempt("compat.tree", [&] {
    const auto who = [&]() -> std::optional<attendance::Person> {
      const auto record = people_.person(uploaded.person.id);
      if (!record) return std::nullopt;
      return record->person;
    };
    tree_.store(service_, who, files, compat_.ignore_exif ? Orientation::ignored : Orientation::applied);
  });
}

void PersonFiles::renamed(const attendance::Person& person, std::string_view former_name) {
  if (!compat_.tree) return;
  (void)attempt("compat.tree", [&] { tree_.rename(person, former_name); });
}

std::vector<std::string> PersonFiles::gone(const attendance::Person& person, bool erased) {
  std::vector<std::string> left;
  if ((compat_.tree || erased) && !attempt("compat.tree", [&] { tree_.remove(person.nik); })) {
    left.emplace_back("compat.tree");
  }
  if (erased && !attempt("logging", [&] { service_.forget_in_log(person.nik); })) left.emplace_back("logging");
  return left;
}

}  // namespace wajah::server
