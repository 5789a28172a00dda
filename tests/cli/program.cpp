#include "cli/program.hpp"

#include "places.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

extern char** environ;

namespace wajah::test {

namespace fs = std::filesystem;

namespace {

std::string binary() {
  const char* set = std::getenv("WAJAH_BINARY");
  return set != nullptr ? set : built_program().string();
}

std::string content_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& extra) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    const std::string name(text.substr(0, text.find('=')));
    if (!name.starts_with("WAJAH_") && !extra.contains(name)) variables.emplace_back(text);
  }
  for (const auto& [name, value] : extra) variables.push_back(name + "=" + value);
  return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Workplace::Workplace() {
  std::string pattern = (fs::temp_directory_path() / "wajah-cli-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
}

Workplace::~Workplace() {
  std::error_code none;
  fs::remove_all(folder_, none);
}

void Workplace::write(const std::string& name, std::string_view bytes) const {
  fs::create_directories((folder_ / name).parent_path());
  std::ofstream(folder_ / name, std::ios::binary) << bytes;
}

void Workplace::write(const std::string& name, std::span<const std::byte> bytes) const {
  write(name, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

std::string Workplace::read(const std::string& name) const { return content_of(folder_ / name); }

std::set<std::string> Workplace::files() const {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    names.insert(fs::relative(entry.path(), folder_).string());
  }
  return names;
}

Outcome Workplace::run(const std::vector<std::string>& arguments,
                       const std::map<std::string, std::string>& environment) const {
  std::vector<std::string> words{binary()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return start(std::move(words), environment);
}

Outcome Workplace::run_shell(const std::string& line) const { return start({"/bin/sh", "-c", line, binary()}, {}); }

Outcome Workplace::start(std::vector<std::string> words, const std::map<std::string, std::string>& environment) const {
  // Outside the folder, so that what the program leaves behind is all that is in it.
  const std::string out = folder_.string() + ".out", err = folder_.string() + ".err";
  std::vector<std::string> variables = environment_with(environment);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, folder_.c_str());
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, words[0].c_str(), &actions, nullptr, pointers_to(words).data(),
                                   pointers_to(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  REQUIRE_MESSAGE(failed == 0, "cannot start " << words[0]);

  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  Outcome outcome{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), content_of(out), content_of(err)};
  fs::remove(out);
  fs::remove(err);
  return outcome;
}

}  // namespace wajah::test
