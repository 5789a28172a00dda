#include "server/access/exposure.hpp"

#include "server/access/certificates.hpp"

#include <wajah/error.hpp>

namespace wajah::server {

void check_exposure(const Settings& settings, const ListenAddress& address) {
  const auto& tls = settings.tls;
  const bool named = !tls.certificate.empty() && !tls.key.empty();
  if (tls.mode == "files" && !named) {
    fail(ErrorKind::usage, "tls.mode is files: set tls.certificate and tls.key as well (--tls-certificate, --tls-key)");
  }
  if (tls.mode != "files" && (!tls.certificate.empty() || !tls.key.empty())) {
    fail(ErrorKind::usage, "tls.certificate and tls.key are set, but tls.mode is {}; set it to files", tls.mode);
  }
  if (settings.server.behind_proxy && settings.server.trusted_proxies.empty()) {
    fail(ErrorKind::usage, "server.behind_proxy needs server.trusted_proxies: the addresses the proxy connects from");
  }
  if (is_loopback(address) || tls.mode != "off" || settings.server.behind_proxy) return;
  fail(ErrorKind::usage,
       "--listen {}: without TLS, keys and photos would cross the network for everybody to read; add --tls auto (or "
       "--tls files with a certificate of yours), or let a proxy with TLS stand before it: --server-behind-proxy and "
       "--server-trusted-proxies ADDRESS; --listen 127.0.0.1:{} answers this machine only",
       url_of(address).substr(7), address.port);
}

TlsFiles tls_files_of(const Settings& settings) {
  if (settings.tls.mode == "files") return {settings.tls.certificate, settings.tls.key};
  const CertificateFiles files(settings.storage.data);
  return {files.server, files.server_key};
}

}  // namespace wajah::server
