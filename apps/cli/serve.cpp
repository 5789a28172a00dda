// wajah serve: the attendance service over HTTP until SIGTERM or Ctrl-C.
#include "cli/commands.hpp"
#include "cli/config.hpp"
#include "cli/devices.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/weight_files.hpp"
#include "server/application.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace wajah::cli {
namespace {

server::ApplicationOptions application_options(const server::Settings& settings) {
  const CommonOptions common = common_options_of(settings);
  server::ApplicationOptions options;
  options.settings = settings;
  options.http = server::http_options_of(settings);
  const Devices devices = make_devices(common);
  options.cpu = devices.cpu;
  options.precision = devices.precision;
  options.device_why = devices.why;
  if (devices.cuda) {
    const auto load = [devices](const Weights& mtcnn, const Weights& embedder) {
      return Models{load_detector(mtcnn, devices), load_embedder(embedder, devices)};
    };
    options.card = {name_of(devices), load, devices.why.empty()};
  }
  options.mirror = mirror_of(common);
  options.mtcnn = look_for_mtcnn(common);
  options.embedder = look_for_embedder(common);
  return options;
}

int serve(const server::Settings& settings) {
  server::Application application(application_options(settings));
  application.act_on_signals();
  fmt::print("{}", application.banner());
  std::fflush(stdout);
  if (!application.wait()) {
    fmt::print(stderr, "wajah serve: requests that did not end in time were cut off\n");
    // Their threads may still compute for long; what they were about to store is left undone as a whole.
    std::fflush(stdout);
    std::_Exit(exit_yes);
  }
  return exit_yes;
}

int run(Arguments arguments) {
  ConfigSources sources;
  sources.environment = wajah_environment();
  bool print_config = false, print_reference = false, as_json = false;
  OptionSet set("serve [options]",
                "Answers the attendance service's HTTP routes until SIGTERM or Ctrl-C, which let what "
                "has begun be answered. Every option is also an environment variable (--auth-required is "
                "WAJAH_AUTH_REQUIRED) and a key of wajah.toml (auth.required); the default stands in brackets.");
  set.add("print-config", print_config, "shows every setting and where it came from, and ends");
  set.add("json", as_json, "with --print-config: as a line of JSON, a list of {key, value, origin}");
  set.add("print-reference", print_reference, "shows the page docs/configuration.md, and ends");
  add_setting_flags(set, sources);
  if (!set.parse(arguments)) return exit_yes;
  if (print_reference) {
    fmt::print("{}", server::configuration_page());
    return exit_yes;
  }
  Configuration configuration = load_configuration(sources);
  if (print_config && as_json) {
    print_json(configuration_json(configuration));
    return exit_yes;
  }
  if (print_config) {
    fmt::print("{}", configuration_text(configuration));
    return exit_yes;
  }
  return serve(configuration.settings);
}

}  // namespace

const Command serve_command{"serve", "serves the attendance service over HTTP", run};

}  // namespace wajah::cli
