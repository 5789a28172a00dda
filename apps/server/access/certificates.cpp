#include "server/access/certificates.hpp"

#include "server/access/openssl.hpp"

#include <wajah/error.hpp>
#include <wajah/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>
#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <memory>
#include <utility>

namespace wajah::server {

namespace fs = std::filesystem;

namespace {

constexpr long authority_days = 3650, server_days = 397;
// Clocks of kiosks run late; a certificate of this second would not be valid there yet.
constexpr long backdated_seconds = 24 * 3600L;
constexpr auto renewed_before = std::chrono::hours(30 * 24);
constexpr int digest_bytes = 32;

struct Pair {
  Certificate certificate;
  Key key;
};

bool is_address(const std::string& name) {
  boost::system::error_code error;
  boost::asio::ip::make_address(name, error);
  return !error;
}

// A host name of RFC 1123; a star may stand for its first label.
bool is_host_name(std::string_view name) {
  if (name.starts_with("*.")) name.remove_prefix(2);
  const auto fits = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.'; };
  return !name.empty() && name.size() <= 253 && std::ranges::all_of(name, fits) && name.front() != '-' &&
         name.front() != '.' && name.find("..") == std::string_view::npos;
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::vector<std::string> entries;
  for (const auto& name : names) {
    if (!is_address(name) && !is_host_name(name)) {
      fail(ErrorKind::usage,
           "{} is neither a host name nor an IP address; give names such as absen.example.id or "
           "192.0.2.7",
           quote(name));
    }
    entries.push_back(fmt::format("{}:{}", is_address(name) ? "IP" : "DNS", name));
  }
  return fmt::format("{}", fmt::join(entries, ","));
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  require_openssl(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "add a certificate's extension");
}

// 159 random bits: no two certificates of an authority may share a number (RFC 5280, 4.1.2.2).
void number(X509* certificate) {
  std::array<unsigned char, 20> bytes{};
  require_openssl(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1, "draw random numbers");
  bytes[0] &= 0x7F;
  const std::unique_ptr<BIGNUM, Freed<BN_free>> value(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  require_openssl(value && BN_to_ASN1_INTEGER(value.get(), X509_get_serialNumber(certificate)), "number a certificate");
}

// A certificate of `subject` for a fresh key, without extensions and signature.
Pair begin(const std::string& subject, const X509* issuer, long days) {
  Pair made{Certificate(X509_new()), Key(EVP_EC_gen("P-256"))};
  X509* x = made.certificate.get();
  require_openssl(x && made.key, "make a key");
  X509_set_version(x, X509_VERSION_3);
  number(x);
  X509_gmtime_adj(X509_getm_notBefore(x), -backdated_seconds);
  X509_gmtime_adj(X509_getm_notAfter(x), days * 24 * 3600);
  X509_set_pubkey(x, made.key.get());
  X509_NAME* name = X509_get_subject_name(x);
  const auto add = [&](const char* field, const std::string& value) {
    X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.c_str()), -1,
                               -1, 0);
  };
  add("O", "wajah");
  add("CN", subject);
  X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : name);
  return made;
}

void sign(const Pair& made, EVP_PKEY* key) {
  require_openssl(X509_sign(made.certificate.get(), key, EVP_sha256()) > 0, "sign a certificate");
}

Pair make_authority() {
  // The number tells the authorities of two installations apart in a browser's list.
  std::array<unsigned char, 4> random{};
  require_openssl(RAND_bytes(random.data(), static_cast<int>(random.size())) == 1, "draw random numbers");
  Pair made = begin(fmt::format("wajah local authority {:02x}", fmt::join(random, "")), nullptr, authority_days);
  X509* x = made.certificate.get();
  extend(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  extend(x, x, NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(x, x, NID_subject_key_identifier, "hash");
  sign(made, made.key.get());
  return made;
}

Pair make_server(const Pair& authority, const std::vector<std::string>& names) {
  Pair made = begin(names.front(), authority.certificate.get(), server_days);
  X509* x = made.certificate.get();
  X509* issuer = authority.certificate.get();
  extend(x, issuer, NID_basic_constraints, "critical,CA:FALSE");
  extend(x, issuer, NID_key_usage, "critical,digitalSignature");
  extend(x, issuer, NID_ext_key_usage, "serverAuth");
  extend(x, issuer, NID_subject_key_identifier, "hash");
  extend(x, issuer, NID_authority_key_identifier, "keyid:always");
  extend(x, issuer, NID_subject_alt_name, alternative_names(names));
  sign(made, authority.key.get());
  return made;
}

std::string contents(BIO* memory) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(length)};
}

std::string pem_of(X509* certificate) {
  const Bio memory(BIO_new(BIO_s_mem()));
  require_openssl(memory && PEM_write_bio_X509(memory.get(), certificate) == 1, "write a certificate");
  return contents(memory.get());
}

std::string pem_of(EVP_PKEY* key) {
  const Bio memory(BIO_new(BIO_s_mem()));
  require_openssl(
      memory && PEM_write_bio_PKCS8PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
      "write a key");
  return contents(memory.get());
}

// Whole or not at all, and never readable by others even for a moment.
void write_file(const fs::path& file, std::string_view text, mode_t mode) {
  auto draft = file.string() + ".XXXXXX";
  const int descriptor = ::mkstemp(draft.data());  // mode 0600
  bool done = descriptor >= 0;
  done = done && ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  done = done && ::fchmod(descriptor, mode) == 0 && ::fsync(descriptor) == 0;
  if (descriptor >= 0) ::close(descriptor);
  done = done && ::rename(draft.c_str(), file.c_str()) == 0;
  if (done) return;
  const int reason = errno;
  ::unlink(draft.c_str());
  fail(ErrorKind::input, "{}: cannot be written: {}", file.string(), std::generic_category().message(reason));
}

void write_pair(const Pair& pair, const fs::path& certificate, const fs::path& key, const std::string& chain = {}) {
  write_file(key, pem_of(pair.key.get()), 0600);
  write_file(certificate, pem_of(pair.certificate.get()) + chain, 0644);
}

Bio open(const fs::path& file) {
  Bio bio(BIO_new_file(file.c_str(), "r"));
  if (!bio) fail(ErrorKind::input, "{}: cannot be read: {}", file.string(), openssl_reason());
  return bio;
}

Certificate load_certificate(const fs::path& file) {
  const Bio bio = open(file);
  Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!certificate) fail(ErrorKind::input, "{}: no certificate in PEM form: {}", file.string(), openssl_reason());
  return certificate;
}

Key load_key(const fs::path& file) {
  const Bio bio = open(file);
  // A key behind a passphrase would stop an unattended start; the empty callback says so at once.
  const auto no_passphrase = [](char*, int, int, void*) { return 0; };
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!key)
    fail(ErrorKind::input, "{}: no private key in PEM form without a passphrase: {}", file.string(), openssl_reason());
  return key;
}

Pair authority_of(const CertificateFiles& files) {
  const bool certificate = fs::exists(files.authority), key = fs::exists(files.authority_key);
  if (certificate && key) return {load_certificate(files.authority), load_key(files.authority_key)};
  if (certificate || key) {
    fail(ErrorKind::input,
         "{} is there but {} is not: an authority needs both; restore it, or remove the other for a "
         "new authority",
         (certificate ? files.authority : files.authority_key).string(),
         (certificate ? files.authority_key : files.authority).string());
  }
  Pair made = make_authority();
  write_pair(made, files.authority, files.authority_key);
  return made;
}

std::string text_of(const X509_NAME* name) {
  const Bio memory(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(memory.get(), name, 0, XN_FLAG_RFC2253);
  return contents(memory.get());
}

std::chrono::system_clock::time_point time_of(const ASN1_TIME* time) {
  std::tm parts{};
  ASN1_TIME_to_tm(time, &parts);
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

std::vector<std::string> names_of(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>> entries(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> names;
  for (int i = 0; entries && i < sk_GENERAL_NAME_num(entries.get()); ++i) {
    const GENERAL_NAME* entry = sk_GENERAL_NAME_value(entries.get(), i);
    if (entry->type != GEN_DNS && entry->type != GEN_IPADD) continue;
    const ASN1_STRING* value = entry->type == GEN_DNS ? entry->d.dNSName : entry->d.iPAddress;
    const auto* bytes = ASN1_STRING_get0_data(value);
    const auto size = static_cast<std::size_t>(ASN1_STRING_length(value));
    if (entry->type == GEN_DNS) {
      names.emplace_back(reinterpret_cast<const char*>(bytes), size);
    } else if (size == 4) {
      names.push_back(fmt::format("{}.{}.{}.{}", bytes[0], bytes[1], bytes[2], bytes[3]));
    } else if (size == 16) {
      boost::asio::ip::address_v6::bytes_type address{};
      std::copy_n(bytes, size, address.begin());
      names.push_back(boost::asio::ip::address_v6(address).to_string());
    }
  }
  return names;
}

std::string fingerprint(const X509* certificate) {
  std::array<unsigned char, digest_bytes> digest{};
  X509_digest(certificate, EVP_sha256(), digest.data(), nullptr);
  return fmt::format("{:02X}", fmt::join(digest, ":"));
}

std::string key_text(const X509* certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (!key) return "unknown";
  std::array<char, 64> group{};
  std::size_t length = 0;
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1) {
    const std::string_view name(group.data(), length);
    return fmt::format("EC {}", name == "prime256v1" ? "P-256" : name);
  }
  return fmt::format("{} {}", EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key));
}

}  // namespace

CertificateFiles::CertificateFiles(const fs::path& data)
    : authority(data / "tls" / "ca.pem"),
      authority_key(data / "tls" / "ca.key"),
      server(data / "tls" / "server.pem"),
      server_key(data / "tls" / "server.key") {}

CertificateInfo read_certificate(const fs::path& file) {
  const Certificate certificate = load_certificate(file);
  const X509* x = certificate.get();
  return {text_of(X509_get_subject_name(x)),
          text_of(X509_get_issuer_name(x)),
          names_of(x),
          key_text(x),
          fingerprint(x),
          time_of(X509_get0_notBefore(x)),
          time_of(X509_get0_notAfter(x)),
          X509_check_ca(certificate.get()) != 0};
}

std::vector<std::string> local_names() {
  std::vector<std::string> names{"localhost", "127.0.0.1", "::1"};
  const auto add = [&](std::string name) {
    if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  };
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0 && is_host_name(host.data())) add(host.data());
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return names;
  const std::unique_ptr<ifaddrs, Freed<::freeifaddrs>> all(first);
  for (const auto* entry = all.get(); entry; entry = entry->ifa_next) {
    if (!entry->ifa_addr || (entry->ifa_flags & IFF_UP) == 0) continue;
    if (entry->ifa_addr->sa_family == AF_INET) {
      const auto* address = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
      add(boost::asio::ip::address_v4(ntohl(address->sin_addr.s_addr)).to_string());
    } else if (entry->ifa_addr->sa_family == AF_INET6) {
      boost::asio::ip::address_v6::bytes_type bytes{};
      std::copy_n(reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr)->sin6_addr.s6_addr, bytes.size(),
                  bytes.begin());
      // Link-local addresses mean nothing without their interface, which a certificate cannot name.
      if (const boost::asio::ip::address_v6 address(bytes); !address.is_link_local()) add(address.to_string());
    }
  }
  return names;
}

void make_certificates(const CertificateFiles& files, const std::vector<std::string>& names) {
  if (names.empty()) fail(ErrorKind::usage, "a server certificate needs at least one host name or IP address");
  (void)alternative_names(names);  // before anything is written
  std::error_code error;
  fs::create_directories(files.server.parent_path(), error);
  fs::permissions(files.server.parent_path(), fs::perms::owner_all, error);
  if (error) fail(ErrorKind::input, "{}: cannot be made: {}", files.server.parent_path().string(), error.message());
  const Pair authority = authority_of(files);
  write_pair(make_server(authority, names), files.server, files.server_key, pem_of(authority.certificate.get()));
}

bool keep_certificate_current(const CertificateFiles& files) {
  std::vector<std::string> names;
  if (fs::exists(files.server) && fs::exists(files.server_key)) {
    const auto info = read_certificate(files.server);
    if (info.until - std::chrono::system_clock::now() > renewed_before) return false;
    names = info.names;
  }
  make_certificates(files, names.empty() ? local_names() : names);
  return true;
}

}  // namespace wajah::server
