#include "cli/options.hpp"

#include "cli/folder_settings.hpp"
#include "cli/suggest.hpp"

#include <wajah/cpu_half.hpp>
#include <wajah/cuda.hpp>
#include <wajah/error.hpp>
#include <wajah/text.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <iostream>
#include <map>
#include <utility>

namespace wajah::cli {

namespace po = boost::program_options;

namespace {

// A command that has any of them takes all, also what it has no use for, so that one line of options serves every
// command.
constexpr std::array common_names{"device", "threads", "precision", "gpu-memory-fraction", "weights", "mtcnn", "data"};
constexpr const char* operand_key = "operand";  // the hidden option that collects them

// Abbreviated options are refused: a script that says --thr would change its meaning with every option added.
constexpr int style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;

std::string environment_name(std::string_view option) {
  std::string name = "WAJAH_";
  for (const char c : option) name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

template <class Number>
Number parse_number(std::string_view option, std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) fail(ErrorKind::usage, "--{}: {} is too large", option, quote(text));
  if (error != std::errc{} || end != text.data() + text.size()) {
    fail(ErrorKind::usage, "--{}: {} is not a number", option, quote(text));
  }
  return number;
}

template <class Number>
std::vector<Number> parse_list(std::string_view option, std::string_view text) {
  std::vector<Number> numbers;
  while (true) {
    const std::size_t comma = text.find(',');
    numbers.push_back(parse_number<Number>(option, text.substr(0, comma)));
    if (comma == std::string_view::npos) return numbers;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

OptionSet::OptionSet(std::string usage, std::string about)
    : usage_(std::move(usage)), about_(std::move(about)), options_("Options", 100), common_("Common options", 100) {
  options_.add_options()("help,h", "shows this");
}

OptionSet& OptionSet::add(const char* names, bool& target, const char* text) {
  options_.add_options()(names, po::bool_switch(&target), text);
  return *this;
}

OptionSet& OptionSet::add_list(const char* names, std::vector<std::string>& target, const char* metavar,
                               const char* text) {
  options_.add_options()(names, po::value(&target)->multitoken()->value_name(metavar), text);
  return *this;
}

OptionSet& OptionSet::add_text(const std::string& name, std::function<void(const std::string&)> take,
                               const std::string& metavar, const std::string& text, bool stands_alone) {
  auto* value = po::value<std::string>()->value_name(metavar)->notifier(std::move(take));
  if (stands_alone) value->implicit_value("true", "");
  options_.add_options()(name.c_str(), value, text.c_str());
  return *this;
}

OptionSet& OptionSet::add_setting(const char* name, const char* metavar, const char* text) {
  if (*metavar == '\0') {
    options_.add_options()(name, po::bool_switch(), text);
  } else {
    options_.add_options()(name, po::value<std::string>()->value_name(metavar), text);
  }
  return *this;
}

OptionSet& OptionSet::operands(std::vector<std::string>& target, std::string name, std::size_t least,
                               std::size_t most) {
  operands_ = &target;
  operand_name_ = std::move(name);
  least_ = least;
  most_ = most;
  return *this;
}

OptionSet& OptionSet::common(CommonOptions& target, Uses uses) {
  common_target_ = &target;
  uses_ = uses;
  const auto text = [&](const char* name, std::string& value, const char* metavar, const char* about) {
    auto* semantic = po::value(&value)->value_name(metavar);
    if (!value.empty()) semantic->default_value(value);
    common_.add_options()(name, semantic, about);
  };
  if (uses.device || uses.kernels) text("device", target.device, "auto|cpu|cuda[:n]", "where to compute");
  if (uses.device || uses.threads) {
    common_.add_options()("threads", po::value(&target.threads)->value_name("N")->default_value(target.threads),
                          "threads to compute with, 0 = all");
  }
  if (uses.device || uses.kernels) {
    text("precision", target.precision, "auto|fp32|int8|tf32|fp16|bf16",
         "of the embedder's arithmetic; auto is fp32; int8 takes weights whose ranges 'models quantise' has measured; "
         "tf32 and bf16 are a card's, fp16 a card's and that of CPUs with AVX512-FP16");
    text("exact", target.exact, "rounding|direct", "fp32 results up to rounding, or by the sums as they are defined");
    auto* fraction = po::value(&target.gpu_memory_fraction)->value_name("F");
    fraction->default_value(target.gpu_memory_fraction, fmt::format("{}", target.gpu_memory_fraction));
    common_.add_options()("gpu-memory-fraction", fraction, "share of a card's memory that may be used, a hard limit");
  }
  if (uses.weights) text("weights", target.weights, "FILE", "embedder: .safetensors, .pb or .onnx");
  if (uses.mirror) {
    text("mirror", target.mirror, "auto|never|enrol|always",
         "embed faces by their mirror image as well; auto: as the weights' card says");
  }
  if (uses.mtcnn) {
    text("mtcnn", target.mtcnn, "FILE|DIR", "detector: .safetensors, or a folder with det1.npy det2.npy det3.npy");
  }
  if (uses.data || uses.weights || uses.mtcnn) text("data", target.data, "DIR", "data folder");
  if (uses.data) {
    text("storage-key-file", target.storage_key_file, "FILE", "key that templates are sealed with (storage.key_file)");
    text("config", target.config, "FILE",
         "settings; without it /etc/wajah/wajah.toml and wajah.toml in the data folder");
  }
  if (uses.json) common_.add_options()("json", po::bool_switch(&target.json), "one line of JSON a result");
  return *this;
}

bool OptionSet::parse(Arguments arguments) try {
  po::options_description all;
  all.add(options_).add(common_);
  po::positional_options_description positions;
  std::vector<std::string> none;
  po::options_description hidden;
  hidden.add_options()(operand_key, po::value(operands_ != nullptr ? operands_ : &none));
  for (const char* name : common_names) {
    if (!common_.options().empty() && all.find_nothrow(name, false) == nullptr) {
      hidden.add_options()(name, po::value<std::string>());
    }
  }
  all.add(hidden);
  positions.add(operand_key, -1);

  po::variables_map values;
  const std::vector<std::string> words(arguments.begin(), arguments.end());
  const po::parsed_options parsed =
      po::command_line_parser(words).options(all).positional(positions).style(style).run();
  check_signs(parsed);
  po::store(parsed, values);
  if (values.count("help") > 0) {
    print_help();
    return false;
  }
  read_environment(values);
  po::notify(values);
  if (!none.empty()) fail(ErrorKind::usage, "{} is not expected here; usage: wajah {}", quote(none.front()), usage_);
  check_operands();
  take_settings(parsed);
  return true;
} catch (const po::unknown_option& error) {
  throw Error(ErrorKind::usage, unknown(error.get_option_name()));
} catch (const po::validation_error& error) {
  throw Error(ErrorKind::usage, error.what() + expected(error.get_option_name()));
} catch (const po::error& error) {
  throw Error(ErrorKind::usage, error.what());
}

std::string OptionSet::expected(const std::string& option) const {
  const std::string name = option.substr(std::min(option.find_first_not_of('-'), option.size()));
  for (const auto* set : {&options_, &common_}) {
    const auto* known = set->find_nothrow(name, false);
    if (known != nullptr) return fmt::format(", expected --{} {}", name, known->format_parameter());
  }
  return {};
}

void OptionSet::read_environment(po::variables_map& values) const {
  std::map<std::string, std::string> twins;
  for (const auto& option : common_.options()) twins[environment_name(option->long_name())] = option->long_name();
  const auto name_of = [&](const std::string& variable) {
    const auto found = twins.find(variable);
    return found == twins.end() ? std::string() : found->second;
  };
  po::store(po::parse_environment(common_, name_of), values);
}

void OptionSet::check_operands() const {
  if (operands_ == nullptr) return;
  if (operands_->size() < least_) {
    fail(ErrorKind::usage, "{} {} given, at least {} expected; usage: wajah {}", operands_->size(), operand_name_,
         least_, usage_);
  }
  if (operands_->size() > most_) {
    fail(ErrorKind::usage, "{} is one {} too many; usage: wajah {}", quote((*operands_)[most_]), operand_name_, usage_);
  }
}

// The conversion to an unsigned number takes -1 for the largest there is.
void OptionSet::check_signs(const po::parsed_options& parsed) const {
  for (const auto& option : parsed.options) {
    if (!unsigned_.contains(option.string_key) || option.value.empty()) continue;
    if (option.value.front().starts_with('-')) {
      fail(ErrorKind::usage, "--{}: {} given, expected a whole number from 0 on", option.string_key,
           quote(option.value.front()));
    }
  }
}

void OptionSet::take_settings(const po::parsed_options& parsed) const {
  if (common_target_ == nullptr) return;
  for (const auto& option : parsed.options) {
    common_target_->given[option.string_key] = option.value.empty() ? "true" : option.value.front();
  }
  if (!uses_.data) return;
  try {
    take_folder_settings(*common_target_);
  } catch (const Error&) {
    if (!uses_.lenient) throw;
  }
}

void OptionSet::print_help() const {
  std::cout << "Usage: wajah " << usage_ << "\n\n" << about_ << "\n\n" << options_;
  if (!common_.options().empty()) {
    const std::string& first = common_.options().front()->long_name();
    std::cout << '\n'
              << common_
              << fmt::format("Each also as an environment variable: --{} is {}.\n", first, environment_name(first));
    if (uses_.data) std::cout << "Settings that are not given here are those of wajah.toml, as for 'wajah serve'.\n";
  }
  std::cout.flush();
}

std::string OptionSet::unknown(std::string_view option) const {
  std::vector<std::string> names;
  for (const auto* set : {&options_, &common_}) {
    for (const auto& known : set->options()) names.push_back("--" + known->long_name());
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  return fmt::format("unknown option {}{}", quote(option), suggestion(option, views));
}

void check_threads(const CommonOptions& options) {
  if (options.threads < 0 || options.threads > 1024) {
    fail(ErrorKind::usage, "--threads {}: expected 0 to 1024", options.threads);
  }
}

bool wants_defined_sums(const CommonOptions& options) {
  if (options.exact == "rounding") return false;
  if (options.exact == "direct") return true;
  fail(ErrorKind::usage, "--exact {}: expected rounding or direct", quote(options.exact));
}

Precision precision_of(const CommonOptions& options) {
  const bool direct = wants_defined_sums(options);
  if (options.precision == "auto" || options.precision == "fp32") {
    return direct ? Precision::fp32_direct : Precision::fp32;
  }
  if (options.precision == "int8") return Precision::int8;
  if (options.precision == "fp16") return Precision::fp16;
  if (options.precision == "tf32" || options.precision == "bf16") {
    fail(ErrorKind::device, "--precision {}: needs a CUDA card; CPUs have auto, fp32, int8 and fp16",
         options.precision);
  }
  fail(ErrorKind::usage, "--precision {}: expected auto, fp32, int8, tf32, fp16 or bf16", quote(options.precision));
}

std::optional<Mirror> mirror_of(const CommonOptions& options) {
  if (options.mirror == "auto") return std::nullopt;
  for (const Mirror mirror : {Mirror::never, Mirror::enrol, Mirror::always}) {
    if (options.mirror == name_of(mirror)) return mirror;
  }
  fail(ErrorKind::usage, "--mirror {}: expected auto, never, enrol or always", quote(options.mirror));
}

Cpu make_device(const CommonOptions& options) {
  if (const DeviceChoice choice = parse_device(options.device); choice.kind == DeviceChoice::Kind::cuda) {
    const auto reason = why_not_cuda(choice.card);
    fail(ErrorKind::device, "--device {}: {}; use --device cpu", options.device,
         reason ? *reason : "this command computes on the CPU only");
  }
  const Precision precision = precision_of(options);
  check_threads(options);
  Cpu cpu(options.threads);
  if (precision == Precision::fp16) require_half_arithmetic(cpu);
  return cpu;
}

std::vector<double> parse_numbers(std::string_view option, std::string_view text, std::size_t count) {
  std::vector<double> numbers = parse_list<double>(option, text);
  if (count != 0 && numbers.size() != count) {
    fail(ErrorKind::usage, "--{}: {} numbers in {}, expected {}", option, numbers.size(), quote(text), count);
  }
  return numbers;
}

std::vector<int> parse_counts(std::string_view option, std::string_view text, int least) {
  std::vector<int> counts = parse_list<int>(option, text);
  if (const auto bad = std::ranges::find_if(counts, [&](int n) { return n < least; }); bad != counts.end()) {
    fail(ErrorKind::usage, "--{}: {} is too few, expected {} or more", option, *bad, least);
  }
  return counts;
}

}  // namespace wajah::cli
