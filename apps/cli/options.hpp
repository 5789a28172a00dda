// Options of a command: what it knows, where values come from (command line, then environment, then the default), and
// the text of --help. The options many commands share are declared here once.
#pragma once

#include "cli/command.hpp"

#include <wajah/cpu.hpp>
#include <wajah/embed/embedder.hpp>

#include <fmt/format.h>
#include <boost/program_options.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace wajah::cli {

// Every one of these has an environment twin: --mtcnn is WAJAH_MTCNN.
struct CommonOptions {
  std::string device = "auto";
  int threads = 0;                   // 0: all this process may run on
  double gpu_memory_fraction = 0.6;  // of a card's memory; serve's setting has the same default
  std::string precision = "auto", exact = "rounding";
  std::string mirror = "auto";  // where faces are embedded by their mirror image as well; auto: as the model card says
  std::string weights, mtcnn;   // files of the embedder and of the detector; empty: looked for (weight_files.hpp)
  std::string data = "data";
  std::string storage_key_file;  // of the key templates are sealed with; empty: they lie open
  std::string config;            // wajah.toml of a command that works on a data folder; empty: as serve looks for it
  bool json = false;
  std::map<std::string, std::string> given;  // what the command line said, by option
};

// Which of the common options a command knows: kernels is --device, --precision and --gpu-memory-fraction, device these
// and --threads; data is for commands that work on a data folder, and go by the settings that `wajah serve` would have
// there.
struct Uses {
  bool device = false, kernels = false, threads = false, mtcnn = false, weights = false, mirror = false, data = false,
       json = false;
  bool lenient = false;  // with data: a mistake in the settings is left for the command itself to tell
};

class OptionSet {
 public:
  // `usage` is what follows "wajah": "detect [options] IMAGE..."; `about` a sentence or two.
  OptionSet(std::string usage, std::string about);

  // An option with a value; what the target holds now is the default. names: "min-size", or "cost,C" with a letter.
  template <class T>
  OptionSet& add(const char* names, T& target, const char* metavar, const char* text) {
    if constexpr (std::is_unsigned_v<T>) unsigned_.insert(long_name(names));
    auto* value = boost::program_options::value(&target)->value_name(metavar);
    if (const std::string now = fmt::format("{}", target); !now.empty()) value->default_value(target, now);
    options_.add_options()(names, value, text);
    return *this;
  }
  OptionSet& add(const char* names, bool& target, const char* text);

  // An option with one or more values after it: --mtcnn A B C.
  OptionSet& add_list(const char* names, std::vector<std::string>& target, const char* metavar, const char* text);

  // An option whose text is handed to `take` if it is given. `stands_alone`: --name is --name=true.
  OptionSet& add_text(const std::string& name, std::function<void(const std::string&)> take, const std::string& metavar,
                      const std::string& text, bool stands_alone);

  // An option that is a setting, whose value folder_settings() finds. Without a metavar it stands alone.
  OptionSet& add_setting(const char* name, const char* metavar, const char* text);

  // What stands on the command line without an option.
  OptionSet& operands(std::vector<std::string>& target, std::string name, std::size_t least, std::size_t most);

  OptionSet& common(CommonOptions& target, Uses uses);

  // Fills all targets; of the common ones of a command with Uses::data also from wajah.toml (folder_settings.hpp).
  // False: --help was asked for and has been printed. Throws Error (usage) with one sentence on anything the command
  // does not know, with a suggestion where a known name is near, or that is wrong in the settings.
  [[nodiscard]] bool parse(Arguments arguments);

 private:
  void read_environment(boost::program_options::variables_map& values) const;
  void check_operands() const;
  void take_settings(const boost::program_options::parsed_options& parsed) const;
  void check_signs(const boost::program_options::parsed_options& parsed) const;
  void print_help() const;
  [[nodiscard]] std::string unknown(std::string_view option) const;
  [[nodiscard]] std::string expected(const std::string& option) const;  // what may follow it, as --help has it
  [[nodiscard]] static std::string long_name(std::string_view names) {
    return std::string(names.substr(0, names.find(',')));
  }

  std::string usage_, about_;
  std::set<std::string> unsigned_;  // options that are counts
  boost::program_options::options_description options_, common_;
  CommonOptions* common_target_ = nullptr;
  Uses uses_;
  std::vector<std::string>* operands_ = nullptr;
  std::string operand_name_;
  std::size_t least_ = 0, most_ = 0;
};

// --threads within its range. Throws Error (usage).
void check_threads(const CommonOptions& options);

// Whether --exact asks for sums as they are defined. Throws Error (usage) on a value that is none.
[[nodiscard]] bool wants_defined_sums(const CommonOptions& options);

// What --precision and --exact ask of the embedder; the detector always computes in fp32. Throws Error: usage on a
// value that is none, device on one that this build does not have.
[[nodiscard]] Precision precision_of(const CommonOptions& options);

// Where --mirror asks for both views of a face; nothing: as the model card says. Throws Error (usage) on another word.
[[nodiscard]] std::optional<Mirror> mirror_of(const CommonOptions& options);

// The device that --device and --threads ask for; also looks at --precision. Throws Error: usage on a value that is
// none, device on one that this build or machine does not have.
[[nodiscard]] Cpu make_device(const CommonOptions& options);

// Comma-separated numbers, exactly `count` of them (0: any number from one on). Throws Error (usage) naming the option.
[[nodiscard]] std::vector<double> parse_numbers(std::string_view option, std::string_view text, std::size_t count = 0);
[[nodiscard]] std::vector<int> parse_counts(std::string_view option, std::string_view text, int least);

}  // namespace wajah::cli
