#include "cli/people_folder.hpp"

#include <wajah/error.hpp>
#include <wajah/file.hpp>
#include <wajah/image_io.hpp>
#include <wajah/text.hpp>

#include <algorithm>
#include <charconv>
#include <set>
#include <sstream>
#include <string_view>

namespace wajah::cli {
namespace {

namespace fs = std::filesystem;

std::vector<PersonPhotos> all_people(const fs::path& root) try {
  std::vector<PersonPhotos> people;
  for (const auto& folder : fs::directory_iterator(root)) {
    if (!folder.is_directory()) continue;
    PersonPhotos person{folder.path().filename().string(), {}};
    for (const auto& file : fs::directory_iterator(folder.path())) {
      if (is_photo_name(file.path())) person.photos.push_back(file.path());
    }
    std::ranges::sort(person.photos);
    if (!person.photos.empty()) people.push_back(std::move(person));
  }
  std::ranges::sort(people, {}, &PersonPhotos::name);
  return people;
} catch (const fs::filesystem_error& error) {
  fail(ErrorKind::input, "{}: {}, expected a folder DIR/<name>/<photos>", error.path1().string(),
       error.code().message());
}

std::set<std::string> read_names(const std::string& file) {
  const MappedFile mapped(file, ErrorKind::input);
  std::istringstream lines(std::string(reinterpret_cast<const char*>(mapped.bytes().data()), mapped.bytes().size()));
  std::set<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) names.insert(line);
  }
  return names;
}

struct Part {
  std::size_t index = 1, count = 1;
};

Part parse_part(const std::string& text) {
  if (text.empty()) return {};
  Part part;
  const char* const end = text.data() + text.size();
  const auto [slash, error] = std::from_chars(text.data(), end, part.index);
  if (error == std::errc{} && slash != end && *slash == '/') {
    const auto [rest, failed] = std::from_chars(slash + 1, end, part.count);
    if (failed == std::errc{} && rest == end && part.index >= 1 && part.index <= part.count) return part;
  }
  fail(ErrorKind::usage, "--part {}: expected two numbers like 1/2, the first not above the second", quote(text));
}

}  // namespace

void PeopleChoice::add_to(OptionSet& set) {
  set.add("root", root, "DIR", "a folder DIR/<name>/<photos>");
  set.add("only", only, "FILE", "names of the people who take part, one a line");
  set.add("exclude", exclude, "FILE", "names of people who do not take part, one a line");
  set.add("part", part, "I/N", "of all people by name every Nth, from the Ith on: 1/2 and 2/2 are two halves");
}

std::size_t PeopleFolder::photos() const {
  std::size_t sum = 0;
  for (const PersonPhotos& person : people) sum += person.photos.size();
  return sum;
}

std::vector<std::size_t> PeopleFolder::photo_counts() const {
  std::vector<std::size_t> counts;
  for (const PersonPhotos& person : people) counts.push_back(person.photos.size());
  return counts;
}

PeopleFolder read_people(const PeopleChoice& choice) {
  if (choice.root.empty()) fail(ErrorKind::usage, "--root is missing");
  const Part part = parse_part(choice.part);
  const std::set<std::string> only = choice.only.empty() ? std::set<std::string>() : read_names(choice.only);
  const std::set<std::string> exclude = choice.exclude.empty() ? std::set<std::string>() : read_names(choice.exclude);
  PeopleFolder folder;
  std::size_t index = 0;
  for (PersonPhotos& person : all_people(choice.root)) {
    const bool in_part = index++ % part.count == part.index - 1;
    const bool wanted = choice.only.empty() || only.contains(person.name);
    if (in_part && wanted && !exclude.contains(person.name)) {
      folder.people.push_back(std::move(person));
    } else {
      ++folder.left_out;
    }
  }
  if (folder.people.empty()) {
    fail(ErrorKind::input, "{}: nobody takes part, {} people are left out; expected a folder DIR/<name>/<photos>",
         choice.root, folder.left_out);
  }
  return folder;
}

}  // namespace wajah::cli
