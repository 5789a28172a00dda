#include "cli/file_hash.hpp"

#include <wajah/error.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>

#include <array>
#include <memory>

namespace wajah::cli {
namespace {

class Hasher {
 public:
  explicit Hasher(const EVP_MD* algorithm) : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    require(context_ && EVP_DigestInit_ex(context_.get(), algorithm, nullptr) == 1);
  }

  Hasher& add(std::span<const std::byte> bytes) {
    require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
    return *this;
  }

  [[nodiscard]] std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    require(EVP_DigestFinal_ex(context_.get(), digest.data(), &length) == 1);
    return fmt::format("{:02x}", fmt::join(digest.begin(), digest.begin() + length, ""));
  }

 private:
  static void require(bool done) {
    if (!done) fail(ErrorKind::input, "the TLS library cannot compute a hash");
  }

  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string sha256_of(std::span<const std::byte> bytes) { return Hasher(EVP_sha256()).add(bytes).hex(); }

std::string git_blob_of(std::span<const std::byte> bytes) {
  const std::string header = fmt::format("blob {}", bytes.size());
  return Hasher(EVP_sha1()).add(std::as_bytes(std::span(header.c_str(), header.size() + 1))).add(bytes).hex();
}

}  // namespace wajah::cli
