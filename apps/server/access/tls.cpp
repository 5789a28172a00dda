#include "server/access/tls.hpp"

#include "server/access/certificates.hpp"
#include "server/access/openssl.hpp"

#include <wajah/error.hpp>

#include <fmt/chrono.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <chrono>
#include <string_view>

namespace wajah::server {
namespace {

// Forward secrecy and authenticated encryption only, as Mozilla's "intermediate" list has it; TLS 1.3 has nothing else.
constexpr auto ciphers_1_2 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

// Of a client's protocols (RFC 7301) the server knows one; a client that does not offer it is served all the same.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered,
                    unsigned int size, void*) {
  static constexpr unsigned char known[] = "\x08http/1.1";
  unsigned char* found = nullptr;
  const int outcome = SSL_select_next_proto(&found, length, known, sizeof known - 1, offered, size);
  *chosen = found;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

void check_dates(const TlsFiles& files) {
  const auto now = std::chrono::system_clock::now();
  const auto info = read_certificate(files.certificate);
  if (info.from <= now && now < info.until) return;
  fail(ErrorKind::input,
       "{}: the certificate is valid from {:%Y-%m-%d} until {:%Y-%m-%d}, which does not include today; "
       "renew it, or make one with `wajah cert init`",
       files.certificate.string(), info.from, info.until);
}

}  // namespace

std::shared_ptr<TlsContext> make_tls_context(const TlsFiles& files) {
  auto context = std::make_shared<TlsContext>(TlsContext::tls_server);
  SSL_CTX* ssl = context->native_handle();
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(ssl, files.certificate.c_str()) != 1) {
    fail(ErrorKind::input, "{}: no usable certificate in PEM form: {}", files.certificate.string(), openssl_reason());
  }
  if (SSL_CTX_use_PrivateKey_file(ssl, files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    fail(ErrorKind::input, "{}: no usable private key for {} in PEM form: {}", files.key.string(),
         files.certificate.string(), openssl_reason());
  }
  check_dates(files);
  SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
  require_openssl(SSL_CTX_set_cipher_list(ssl, ciphers_1_2) == 1, "choose ciphers");
  SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_alpn_select_cb(ssl, choose_protocol, nullptr);
  // Ten thousand idle connections must not keep a record's buffers each.
  SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
  return context;
}

}  // namespace wajah::server
