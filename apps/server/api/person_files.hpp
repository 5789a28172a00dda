// PersonFiles: what lies about people in files beside the database, kept as the database is: the folders of compat.tree
// and the daily log. Whatever adds, renames or removes people calls it, after the change was committed. The change
// stands by then, so nothing is thrown: what could not be done is told to the server's log, without names.
#pragma once

#include "attendance/service.hpp"
#include "attendance/storage/people_store.hpp"
#include "server/compat.hpp"
#include "server/compat_tree.hpp"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::server {

class PersonFiles {
 public:
  using Warn = std::function<void(const std::string&)>;

  PersonFiles(attendance::Service& service, attendance::PeopleStore& people, const Compat& compat, Warn warn);

  void enrolled(const attendance::UploadResult& uploaded, std::span<const attendance::File> files);
  void renamed(const attendance::Person& person, std::string_view former_name);

  // Returns what could not be removed: "compat.tree", "logging". `erased`: no trace of the NIK may stay, so that the
  // folders go even where the mirror is off now, and the log forgets.
  std::vector<std::string> gone(const attendance::Person& person, bool erased);

 private:
  template <class Work>
  [[nodiscard]] bool attempt(std::string_view what, Work&& work);

  attendance::Service& service_;
  attendance::PeopleStore& people_;
  Compat compat_;
  Warn warn_;
  CompatTree tree_;
};

}  // namespace wajah::server
