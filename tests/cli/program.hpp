// Runs the built program as a user does, in a folder of its own.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::test {

struct Outcome {
  int status = -1;  // 128 + signal if one ended it
  std::string out, err;

  // What a failed command owes its user: nothing printed but one line, "wajah <command>: ...".
  [[nodiscard]] bool one_sentence() const {
    return out.empty() && err.starts_with("wajah") && std::ranges::count(err, '\n') == 1 && err.ends_with('\n');
  }
};

// A folder that is gone when the test ends; programs run in it.
class Workplace {
 public:
  Workplace();
  ~Workplace();
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  Workplace(Workplace&&) = delete;
  Workplace& operator=(Workplace&&) = delete;

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

  void write(const std::string& name, std::string_view bytes) const;
  void write(const std::string& name, std::span<const std::byte> bytes) const;
  [[nodiscard]] std::string read(const std::string& name) const;
  [[nodiscard]] std::set<std::string> files() const;  // all below the folder, relative

  // Runs `wajah arguments...` to its end with this folder as the current one. WAJAH_* variables of the tests' own
  // environment do not reach it, except those of `environment`.
  [[nodiscard]] Outcome run(const std::vector<std::string>& arguments,
                            const std::map<std::string, std::string>& environment = {}) const;

  // Runs a line of sh, in which "$0" is the program.
  [[nodiscard]] Outcome run_shell(const std::string& line) const;

 private:
  [[nodiscard]] Outcome start(std::vector<std::string> words,
                              const std::map<std::string, std::string>& environment) const;

  std::filesystem::path folder_;
};

}  // namespace wajah::test
