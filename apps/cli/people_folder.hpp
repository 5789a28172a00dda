// A folder of people to measure or to calibrate on: DIR/<name>/<photos>.
#pragma once

#include "cli/options.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace wajah::cli {

// Who of a folder takes part; keeps those who calibrated apart from those who are tested.
struct PeopleChoice {
  std::string root, only, exclude;  // folder, and files of names, one a line
  std::string part;                 // "1/2": of all people by name the first, third, fifth, ...

  // Adds --root, --only, --exclude and --part to the options of a command.
  void add_to(OptionSet& set);
};

struct PersonPhotos {
  std::string name;
  std::vector<std::filesystem::path> photos;
};

struct PeopleFolder {
  std::vector<PersonPhotos> people;  // by name, each with a photo at least, photos by name
  std::size_t left_out = 0;          // people whom the choice leaves out

  [[nodiscard]] std::size_t photos() const;
  [[nodiscard]] std::vector<std::size_t> photo_counts() const;
};

// Files named *.jpg, *.jpeg, *.png and *.webp. Throws Error: usage if --root is missing or --part is no part, input if
// the folder or a file of names cannot be read or nobody is left.
[[nodiscard]] PeopleFolder read_people(const PeopleChoice& choice);

}  // namespace wajah::cli
