// wajah cert: the certificates behind HTTPS, without which browsers give no camera to the pages.
#include "cli/commands.hpp"
#include "cli/json_text.hpp"
#include "cli/options.hpp"
#include "cli/verbs.hpp"
#include "server/access/certificates.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <boost/json.hpp>

#include <array>
#include <string>
#include <vector>

namespace wajah::cli {
namespace {

using server::CertificateFiles;
using server::CertificateInfo;

std::string day(std::chrono::system_clock::time_point at) {
  return fmt::format("{:%Y-%m-%d}", std::chrono::floor<std::chrono::seconds>(at));
}

void print(const std::string& file, const CertificateInfo& info) {
  fmt::print("{}\n  subject  {}\n  issuer   {}\n", file, info.subject, info.issuer);
  if (!info.names.empty()) fmt::print("  names    {}\n", fmt::join(info.names, ", "));
  fmt::print("  key      {}\n  valid    {} to {}\n  SHA-256  {}\n", info.key, day(info.from), day(info.until),
             info.sha256);
}

void print_as_json(const std::string& file, const CertificateInfo& info) {
  print_json(boost::json::object{{"file", file},
                                 {"subject", info.subject},
                                 {"issuer", info.issuer},
                                 {"names", boost::json::value_from(info.names)},
                                 {"key", info.key},
                                 {"valid_from", day(info.from)},
                                 {"valid_until", day(info.until)},
                                 {"sha256", info.sha256},
                                 {"authority", info.is_authority}});
}

int run_init(Arguments arguments) {
  CommonOptions common;
  std::vector<std::string> names;
  OptionSet set(
      "cert init [--data DIR] [NAME...]",
      "Makes a certificate authority of your own, unless there is one, and a server certificate for the given "
      "host names and IP addresses; without any, for those of this machine. 'wajah serve --tls auto' uses it.");
  set.operands(names, "name", 0, 100);
  set.common(common, {.data = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  const CertificateFiles files(common.data);
  server::make_certificates(files, names.empty() ? server::local_names() : names);
  const auto show = common.json ? print_as_json : print;
  show(files.authority.string(), server::read_certificate(files.authority));
  show(files.server.string(), server::read_certificate(files.server));
  if (common.json) return exit_yes;
  fmt::print(
      "\nStart with 'wajah serve --tls auto'; a running server takes the certificate on SIGHUP.\n"
      "Let each device trust {} once: in Android under Settings, Security, Install a certificate; in Windows with\n"
      "certutil -addstore Root ca.pem; in Debian copy it to /usr/local/share/ca-certificates/wajah.crt and run\n"
      "update-ca-certificates. Keep {} to yourself: who has it can pretend to be any server to these devices.\n",
      files.authority.string(), files.authority_key.string());
  return exit_yes;
}

int run_show(Arguments arguments) {
  CommonOptions common;
  std::vector<std::string> given;
  OptionSet set("cert show [--data DIR] [FILE...]",
                "Shows what certificates say; without a file, those that 'wajah cert init' made.");
  set.operands(given, "file", 0, 100);
  set.common(common, {.data = true, .json = true});
  if (!set.parse(arguments)) return exit_yes;
  const CertificateFiles files(common.data);
  if (given.empty()) given = {files.authority.string(), files.server.string()};
  for (const auto& file : given) (common.json ? print_as_json : print)(file, server::read_certificate(file));
  return exit_yes;
}

constexpr std::array verbs{
    Command{"init", "makes an authority and a certificate for this server", run_init},
    Command{"show", "shows what certificates say", run_show},
};

int run(Arguments arguments) {
  return run_verb("cert", "Certificates for HTTPS: browsers give cameras to HTTPS pages only.", verbs, arguments);
}

}  // namespace

const Command cert_command{"cert", "makes and shows certificates for HTTPS", run};

}  // namespace wajah::cli
