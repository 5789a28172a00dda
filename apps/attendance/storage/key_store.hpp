// KeyStore: API keys. A key is `wjh_<id>_<secret>` with a secret of 256 random bits; the store holds HMAC-SHA-256 of it
// under the server secret, so neither the database nor a copy of it lets anyone in. What roles and scopes mean is the
// business of who asks. All throw Error (storage); any number of threads.
#pragma once

#include "attendance/store.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wajah::attendance {

struct NewKey {
  std::string name;                 // for people: "kiosk at the gate"
  std::string role;                 // one word
  std::vector<std::string> scopes;  // words, beyond those of the role
  std::string site;                 // the only site it is good for; empty: all
  std::optional<Time> expires_at;
};

struct ApiKey {
  std::string id, name, role;
  std::vector<std::string> scopes;
  std::string site;
  Time created_at;
  std::optional<Time> expires_at, revoked_at, last_used_at;
  bool usable = true;  // false: made under another server secret, so it can never fit

  [[nodiscard]] bool in_force(Time at) const { return usable && !revoked_at && (!expires_at || at < *expires_at); }
};

struct IssuedKey {
  ApiKey key;
  std::string text;  // wjh_<id>_<secret>: known this once, never again
};

class KeyStore {
 public:
  virtual ~KeyStore() = default;

  virtual IssuedKey issue(const NewKey& key, Time at) = 0;

  // The first start's key of role "admin"; nothing if there was ever a key that this server secret fits.
  virtual std::optional<IssuedKey> issue_first(Time at) = 0;

  [[nodiscard]] virtual std::vector<ApiKey> keys() = 0;  // in the order they were made, revoked ones included

  // The key whose text this is, if it is in force. Takes the same time whatever is wrong with it, and writes nothing:
  // the use is noted in memory.
  [[nodiscard]] virtual std::optional<ApiKey> check(std::string_view text, Time at) = 0;

  // From its return on check() refuses the key. False if there is none with that id or it was revoked before.
  virtual bool revoke(std::string_view id, Time at) = 0;

  // Writes the uses that check() noted, so that keys() tells them also after a restart. keys() tells them at once.
  virtual void flush_uses() = 0;
};

}  // namespace wajah::attendance
