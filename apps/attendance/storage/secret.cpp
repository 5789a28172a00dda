#include "attendance/storage/secret.hpp"

#include "attendance/digest.hpp"
#include "attendance/storage/files.hpp"

#include <wajah/error.hpp>

#include <sodium.h>

#include <algorithm>
#include <vector>

namespace wajah::attendance {
namespace {

constexpr std::string_view version = " 1 ";
constexpr std::size_t most_bytes = 256;  // of a secret's file

unsigned char* characters(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }
const unsigned char* characters(const std::byte* bytes) { return reinterpret_cast<const unsigned char*>(bytes); }
const unsigned char* characters(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

void require_sodium() {
  if (sodium_init() < 0) fail(ErrorKind::device, "libsodium cannot be initialised");
}

std::string hex(std::span<const std::byte> bytes) {
  std::string text(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), characters(bytes.data()), bytes.size());
  text.pop_back();
  return text;
}

}  // namespace

Secret::~Secret() { sodium_memzero(bytes_.data(), bytes_.size()); }

Secret Secret::random() {
  require_sodium();
  std::array<std::byte, 32> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  return Secret(bytes);
}

Secret Secret::read(const std::filesystem::path& file, std::string_view label) {
  const std::string text = read_small_file(file, most_bytes);
  std::string_view digits = text;
  while (!digits.empty() && (digits.back() == '\n' || digits.back() == '\r')) digits.remove_suffix(1);
  const std::string head = std::string(label) + std::string(version);
  std::array<std::byte, 32> bytes{};
  std::size_t read = 0;
  const bool labelled = digits.starts_with(head);
  if (labelled) digits.remove_prefix(head.size());
  if (!labelled || digits.size() != 2 * bytes.size() ||
      sodium_hex2bin(characters(bytes.data()), bytes.size(), digits.data(), digits.size(), nullptr, &read, nullptr) !=
          0 ||
      read != bytes.size()) {
    fail(ErrorKind::storage, "{}: no {} file, expected one line '{} 1 ' and 64 hex digits; restore it from a backup",
         file.string(), label, label);
  }
  return Secret(bytes);
}

void Secret::write(const std::filesystem::path& file, std::string_view label) const {
  std::string line = std::string(label) + std::string(version) + hex(bytes_) + "\n";
  write_new_file(file, std::as_bytes(std::span(line)));
  sodium_memzero(line.data(), line.size());
}

std::string Secret::id() const {
  static constexpr std::string_view purpose = "wajah secret id";
  std::array<std::byte, 16> digest{};
  hash({{std::as_bytes(std::span(purpose)), std::span<const std::byte>(bytes_)}}, digest);
  return hex(std::span(digest).first(8));
}

Digest Secret::mac(std::string_view what, std::string_view text) const {
  require_sodium();
  Digest digest{};
  const unsigned char end = 0;
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, characters(bytes_.data()), bytes_.size());
  crypto_auth_hmacsha256_update(&state, characters(what), what.size());
  crypto_auth_hmacsha256_update(&state, &end, 1);
  crypto_auth_hmacsha256_update(&state, characters(text), text.size());
  crypto_auth_hmacsha256_final(&state, characters(digest.data()));
  sodium_memzero(&state, sizeof state);
  return digest;
}

std::string random_hex(std::size_t bytes) {
  require_sodium();
  std::vector<std::byte> random(bytes);
  randombytes_buf(random.data(), random.size());
  return hex(random);
}

bool equal_in_constant_time(std::span<const std::byte> a, std::span<const std::byte> b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

Secret server_secret(const std::filesystem::path& data_folder) {
  static constexpr std::string_view label = "wajah-server-secret";
  const auto file = data_folder / "server.secret";
  if (!std::filesystem::exists(file)) Secret::random().write(file, label);
  return Secret::read(file, label);
}

}  // namespace wajah::attendance
