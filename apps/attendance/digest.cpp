#include "attendance/digest.hpp"

#include <wajah/error.hpp>

#include <sodium.h>

namespace wajah::attendance {
namespace {

const unsigned char* characters(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

void hash(std::span<const std::span<const std::byte>> pieces, std::span<std::byte> digest) {
  if (sodium_init() < 0) fail(ErrorKind::device, "libsodium cannot be initialised");
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, digest.size());
  for (const auto piece : pieces) crypto_generichash_update(&state, characters(piece), piece.size());
  crypto_generichash_final(&state, reinterpret_cast<unsigned char*>(digest.data()), digest.size());
}

Digest digest_of(std::span<const std::byte> bytes) {
  Digest digest{};
  hash({{bytes}}, digest);
  return digest;
}

}  // namespace wajah::attendance
