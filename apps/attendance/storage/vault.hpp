// Vault: seals templates at rest with XChaCha20-Poly1305 (libsodium). What is sealed is bound to its place: the same
// bytes under another person, photo or model do not open.
#pragma once

#include "attendance/storage/secret.hpp"
#include "attendance/store.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::attendance {

// Where a template lies. `kind` is an embedding's model, or picture_kind.
struct TemplatePlace {
  PersonId person = 0;
  PhotoId photo = 0;
  std::string_view kind;
};

class Vault {
 public:
  explicit Vault(const Secret& key) : key_(key), id_(key.id()) {}

  // The vault of a key file ("wajah-template-key 1 <hex>"). Throws Error (storage).
  [[nodiscard]] static Vault open_file(const std::filesystem::path& key_file);
  // Makes such a file with a new key. Throws Error (storage), also if the file is there.
  static void make_file(const std::filesystem::path& key_file);

  [[nodiscard]] const std::string& id() const { return id_; }  // names the key in every row

  [[nodiscard]] std::vector<std::byte> seal(const TemplatePlace& place, std::span<const std::byte> bytes) const;
  // Nothing if the bytes were not sealed with this key for this place.
  [[nodiscard]] std::optional<std::vector<std::byte>> open(const TemplatePlace& place,
                                                           std::span<const std::byte> sealed) const;

 private:
  Secret key_;
  std::string id_;
};

}  // namespace wajah::attendance
