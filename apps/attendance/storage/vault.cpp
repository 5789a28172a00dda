#include "attendance/storage/vault.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace wajah::attendance {
namespace {

constexpr std::string_view label = "wajah-template-key";
constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;

unsigned char* characters(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }
const unsigned char* characters(const std::byte* bytes) { return reinterpret_cast<const unsigned char*>(bytes); }

std::vector<std::byte> associated(const TemplatePlace& place) {
  const std::array<std::int64_t, 2> ids{place.person, place.photo};
  std::vector<std::byte> data(sizeof ids + place.kind.size());
  std::memcpy(data.data(), ids.data(), sizeof ids);
  std::ranges::copy(std::as_bytes(std::span(place.kind)), data.begin() + sizeof ids);
  return data;
}

}  // namespace

Vault Vault::open_file(const std::filesystem::path& key_file) { return Vault(Secret::read(key_file, label)); }

void Vault::make_file(const std::filesystem::path& key_file) { Secret::random().write(key_file, label); }

std::vector<std::byte> Vault::seal(const TemplatePlace& place, std::span<const std::byte> bytes) const {
  const auto data = associated(place);
  std::vector<std::byte> sealed(nonce_bytes + bytes.size() + tag_bytes);
  randombytes_buf(sealed.data(), nonce_bytes);  // 192 bits: random ones never meet
  crypto_aead_xchacha20poly1305_ietf_encrypt(characters(sealed.data() + nonce_bytes), nullptr, characters(bytes.data()),
                                             bytes.size(), characters(data.data()), data.size(), nullptr,
                                             characters(sealed.data()), characters(key_.bytes().data()));
  return sealed;
}

std::optional<std::vector<std::byte>> Vault::open(const TemplatePlace& place, std::span<const std::byte> sealed) const {
  if (sealed.size() < nonce_bytes + tag_bytes) return std::nullopt;
  const auto data = associated(place);
  const auto text = sealed.subspan(nonce_bytes);
  std::vector<std::byte> bytes(text.size() - tag_bytes);
  const int opened = crypto_aead_xchacha20poly1305_ietf_decrypt(
      characters(bytes.data()), nullptr, nullptr, characters(text.data()), text.size(), characters(data.data()),
      data.size(), characters(sealed.data()), characters(key_.bytes().data()));
  if (opened != 0) return std::nullopt;
  return bytes;
}

}  // namespace wajah::attendance
