// A stream of bytes sealed with a passphrase: argon2id makes the key, libsodium's secretstream (XChaCha20-Poly1305)
// seals it in chunks, so that a cut, a flipped bit or a stream under another name shows.
#pragma once

#include "attendance/storage/secret.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace wajah::attendance {

struct PassphraseRule {
  std::array<std::byte, 16> salt{};
  std::uint64_t passes = 3;
  std::uint64_t memory = std::uint64_t{256} << 20;

  [[nodiscard]] static PassphraseRule random();
};

// Takes about a second. Throws Error (input) on a rule that would take too much, Error (device) without the memory.
[[nodiscard]] Secret key_of(std::string_view passphrase, const PassphraseRule& rule);

class StreamSealer {
 public:
  StreamSealer(const Secret& key, std::string name);
  ~StreamSealer();
  StreamSealer(const StreamSealer&) = delete;
  StreamSealer& operator=(const StreamSealer&) = delete;
  StreamSealer(StreamSealer&&) = delete;
  StreamSealer& operator=(StreamSealer&&) = delete;

  [[nodiscard]] std::string write(std::string_view plain);  // what of the sealed stream is ready
  [[nodiscard]] std::string finish();                       // the rest

 private:
  struct State;
  [[nodiscard]] std::string push(std::string_view chunk, bool last);

  std::unique_ptr<State> state_;
  std::string name_, pending_, header_;
};

class StreamOpener {
 public:
  StreamOpener(const Secret& key, std::string name);
  ~StreamOpener();
  StreamOpener(const StreamOpener&) = delete;
  StreamOpener& operator=(const StreamOpener&) = delete;
  StreamOpener(StreamOpener&&) = delete;
  StreamOpener& operator=(StreamOpener&&) = delete;

  // What can be opened so far. Throws Error (input) on what was not sealed with this key under this name.
  [[nodiscard]] std::string write(std::string_view sealed);
  void finish() const;  // throws Error (input) if the stream was cut

 private:
  struct State;
  [[nodiscard]] std::string pull(std::string_view chunk);

  std::unique_ptr<State> state_;
  Secret key_;
  std::string name_, pending_;
  bool begun_ = false, ended_ = false;
};

}  // namespace wajah::attendance
