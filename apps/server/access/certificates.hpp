// Certificates: a certificate authority of the installation's own and server certificates signed by it, because
// browsers hand out the camera to HTTPS only and an office's server has no public name that others would certify.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::server {

struct CertificateInfo {
  std::string subject, issuer;     // "CN=wajah"
  std::vector<std::string> names;  // "office.example", "192.0.2.7"
  std::string key;                 // "EC P-256", "RSA 2048"
  std::string sha256;              // of the certificate, hex pairs with colons, as browsers show it
  std::chrono::system_clock::time_point from, until;
  bool is_authority = false;
};

// Where an installation keeps its own: <data>/tls.
struct CertificateFiles {
  explicit CertificateFiles(const std::filesystem::path& data);
  std::filesystem::path authority, authority_key, server, server_key;
};

// The first certificate of a PEM file. Throws Error (input) naming the file.
[[nodiscard]] CertificateInfo read_certificate(const std::filesystem::path& file);

// This machine's names and addresses: localhost, the loopback addresses, the host name, and every address of its
// network interfaces.
[[nodiscard]] std::vector<std::string> local_names();

// Makes an authority (ECDSA P-256, ten years) unless there is one, and a server certificate signed by it (ECDSA P-256,
// 397 days, the longest that browsers take) for `names`, host names or IP addresses. Keys are readable by their owner
// alone. Throws Error: usage on a name that is none, input if a file cannot be written or an authority is half there.
void make_certificates(const CertificateFiles& files, const std::vector<std::string>& names);

// For a server that looks after its own: makes certificates where there are none, and a new one for the same names when
// less than a month is left of the present one; true if it did. Throws as make_certificates().
bool keep_certificate_current(const CertificateFiles& files);

}  // namespace wajah::server
