// TLS as the server offers it: versions 1.2 and 1.3, one certificate at a time, replaceable while connections live.
#pragma once

#include "server/transport.hpp"

#include <atomic>
#include <filesystem>
#include <memory>

namespace wajah::server {

struct TlsFiles {
  std::filesystem::path certificate, key;  // PEM; the certificate may be followed by those that vouch for it
};

// Throws Error (input) with a sentence if a file cannot be read, the key does not belong to the certificate, or the
// certificate is out of date.
[[nodiscard]] std::shared_ptr<TlsContext> make_tls_context(const TlsFiles& files);

class TlsKeeper {
 public:
  // Throws as make_tls_context().
  explicit TlsKeeper(TlsFiles files) : files_(std::move(files)), context_(make_tls_context(files_)) {}

  // For new connections; from any thread.
  [[nodiscard]] std::shared_ptr<TlsContext> context() const { return context_.load(); }
  [[nodiscard]] const TlsFiles& files() const { return files_; }

  // Reads the files again. Throws as make_tls_context(), and the former certificate stays.
  void reload() { context_.store(make_tls_context(files_)); }

 private:
  TlsFiles files_;
  std::atomic<std::shared_ptr<TlsContext>> context_;
};

}  // namespace wajah::server
