// wajah: finds the command, runs it, and turns what it throws into one sentence and an exit status.
#include "cli/commands.hpp"
#include "cli/suggest.hpp"

#include <wajah/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace wajah::cli {
namespace {

constexpr std::array commands{
    &serve_command,     &detect_command,  &align_command,      &embed_command,   &verify_command,  &enrol_command,
    &recognise_command, &people_command,  &attendance_command, &train_command,   &predict_command, &evaluate_command,
    &calibrate_command, &convert_command, &models_command,     &bench_command,   &cert_command,    &doctor_command,
    &export_command,    &import_command,  &keys_command,       &version_command,
};

// American spellings, and the words of the original service's routes.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> aliases{
    {{"recognize", "recognise"}, {"enroll", "enrol"}, {"upload", "enrol"}, {"--version", "version"}}};

void print_help(std::FILE* out) {
  fmt::print(out,
             "Usage: wajah COMMAND [options] ...\n\nFinds faces, turns them into embeddings, says who they are.\n\n");
  for (const Command* command : commands) fmt::print(out, "  {:<11}{}\n", command->name, command->summary);
  fmt::print(out,
             "\nwajah COMMAND --help tells more about each.\n"
             "Exit status: 0 yes or done, 1 a negative answer, 2 usage, 3 bad input, 4 bad model, 5 device.\n");
}

const Command& find_command(std::string_view name) {
  for (const auto& [alias, real] : aliases) {
    if (name == alias) name = real;
  }
  const auto found = std::ranges::find(commands, name, &Command::name);
  if (found != commands.end()) return **found;
  std::vector<std::string_view> names;
  for (const Command* command : commands) names.push_back(command->name);
  fail(ErrorKind::usage, "unknown command '{}'{}", name,
       nearest(name, names).empty() ? "; wajah --help lists them" : suggestion(name, names));
}

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return exit_usage;
    case ErrorKind::input:
    case ErrorKind::storage: return exit_input;
    case ErrorKind::model: return exit_model;
    case ErrorKind::device:
    case ErrorKind::device_memory:
    case ErrorKind::device_numbers: return exit_device;
  }
  return exit_input;
}

int run(std::span<const std::string> words, std::string& speaker) {
  if (words.empty()) {
    print_help(stderr);
    return exit_usage;
  }
  const bool help = words[0] == "help" || words[0] == "--help" || words[0] == "-h";
  if (help && words.size() == 1) {
    print_help(stdout);
    return exit_yes;
  }
  const Command& command = find_command(words[help ? 1 : 0]);
  speaker = fmt::format("wajah {}", command.name);
  const std::vector<std::string> only_help{"--help"};
  return command.run(help ? Arguments(only_help) : words.subspan(1));
}

int complain(std::string_view speaker, std::string_view message, int status) {
  fmt::print(stderr, "{}: {}\n", speaker, message);
  return status;
}

int run_and_explain(std::span<const std::string> words) {
  std::string speaker = "wajah";
  try {
    const int status = run(words, speaker);
    // What a full disk swallowed shows only when the last buffer is written.
    if (std::fflush(stdout) != 0) return complain(speaker, "the output could not be written", exit_input);
    return status;
  } catch (const Error& error) {
    return complain(speaker, error.what(), status_of(error.kind()));
  } catch (const std::bad_alloc&) {
    return complain(speaker, "not enough memory", exit_input);
  } catch (const std::exception& error) {
    return complain(speaker, error.what(), exit_input);
  }
}

}  // namespace
}  // namespace wajah::cli

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  return wajah::cli::run_and_explain(words);
}
