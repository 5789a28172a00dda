// wajah serve: the attendance service over HTTP until SIGTERM or Ctrl-C.
#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/weight_files.hpp"
#include "server/application.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace wajah::cli {
namespace {

server::ApplicationOptions application_options(const CommonOptions& common, const std::string& listen,
                                               const std::string& zone) {
  server::ApplicationOptions options;
  options.data = common.data;
  options.cpu = make_device(common);
  options.http.listen = server::parse_listen_address(listen);
  options.mtcnn = look_for_mtcnn(common);
  options.embedder = look_for_embedder(common);
  options.zone = zone;
  return options;
}

int run(Arguments arguments) {
  CommonOptions common;
  std::string listen = "127.0.0.1:8006", zone = "Asia/Jakarta";
  OptionSet set("serve [options]",
                "Answers the attendance service's HTTP routes until SIGTERM or Ctrl-C, which let what "
                "has begun be answered.");
  set.add("listen", listen, "HOST:PORT", "address to listen on; port 0 takes any free one");
  set.add("zone", zone, "NAME", "IANA time zone of the attendance log");
  set.common(common, {.device = true, .mtcnn = true, .weights = true, .data = true});
  if (!set.parse(arguments)) return exit_yes;

  server::Application application(application_options(common, listen, zone));
  application.drain_on_signals();
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

}  // namespace

const Command serve_command{"serve", "serves the attendance service over HTTP", run};

}  // namespace wajah::cli
