// Owners of OpenSSL's objects and its errors as sentences. Internal to access/.
#pragma once

#include <wajah/error.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace wajah::server {

template <auto Free>
struct Freed {
  void operator()(auto* object) const { Free(object); }
};

using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;

// The reason of the latest failure in this thread, and forgets all of them.
inline std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason ? reason : "unknown reason";
}

// For calls that fail only when memory or the library is broken.
inline void require_openssl(bool done, std::string_view what) {
  if (!done) fail(ErrorKind::device, "OpenSSL cannot {}: {}", what, openssl_reason());
}

}  // namespace wajah::server
