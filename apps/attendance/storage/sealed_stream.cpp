#include "attendance/storage/sealed_stream.hpp"

#include <wajah/error.hpp>

#include <sodium.h>

namespace wajah::attendance {
namespace {

constexpr std::size_t chunk_bytes = std::size_t{64} << 10;
constexpr std::size_t header_bytes = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
constexpr std::size_t extra_bytes = crypto_secretstream_xchacha20poly1305_ABYTES;
constexpr std::uint64_t most_passes = 20, most_memory = std::uint64_t{2} << 30;

unsigned char* characters(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* characters(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
const unsigned char* characters(const std::array<std::byte, 32>& bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

[[noreturn]] void refuse(std::string_view name) {
  fail(ErrorKind::input, "{}: cannot be opened; the passphrase is another one, or the archive is damaged", name);
}

}  // namespace

struct StreamSealer::State {
  crypto_secretstream_xchacha20poly1305_state stream{};
};
struct StreamOpener::State {
  crypto_secretstream_xchacha20poly1305_state stream{};
};

PassphraseRule PassphraseRule::random() {
  if (sodium_init() < 0) fail(ErrorKind::device, "libsodium cannot be initialised");
  PassphraseRule rule;
  randombytes_buf(rule.salt.data(), rule.salt.size());
  return rule;
}

Secret key_of(std::string_view passphrase, const PassphraseRule& rule) {
  if (sodium_init() < 0) fail(ErrorKind::device, "libsodium cannot be initialised");
  if (rule.passes < 1 || rule.passes > most_passes || rule.memory < crypto_pwhash_MEMLIMIT_MIN ||
      rule.memory > most_memory) {
    fail(ErrorKind::input, "the archive asks for {} passes over {} bytes to make its key, expected at most {} over {}",
         rule.passes, rule.memory, most_passes, most_memory);
  }
  std::array<std::byte, 32> key{};
  if (crypto_pwhash(reinterpret_cast<unsigned char*>(key.data()), key.size(), passphrase.data(), passphrase.size(),
                    reinterpret_cast<const unsigned char*>(rule.salt.data()), rule.passes, rule.memory,
                    crypto_pwhash_ALG_ARGON2ID13) != 0) {
    fail(ErrorKind::device, "not enough memory to make a key of the passphrase, expected {} MiB", rule.memory >> 20);
  }
  return Secret(key);
}

StreamSealer::StreamSealer(const Secret& key, std::string name)
    : state_(std::make_unique<State>()), name_(std::move(name)), header_(header_bytes, '\0') {
  crypto_secretstream_xchacha20poly1305_init_push(&state_->stream, characters(header_), characters(key.bytes()));
}

StreamSealer::~StreamSealer() { sodium_memzero(state_.get(), sizeof(State)); }

std::string StreamSealer::push(std::string_view chunk, bool last) {
  std::string sealed(chunk.size() + extra_bytes, '\0');
  crypto_secretstream_xchacha20poly1305_push(
      &state_->stream, characters(sealed), nullptr, characters(chunk), chunk.size(), characters(name_), name_.size(),
      last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE);
  return sealed;
}

std::string StreamSealer::write(std::string_view plain) {
  pending_ += plain;
  std::string sealed = std::exchange(header_, {});
  std::size_t begin = 0;
  for (; pending_.size() - begin > chunk_bytes; begin += chunk_bytes) {
    sealed += push(std::string_view(pending_).substr(begin, chunk_bytes), false);
  }
  pending_.erase(0, begin);
  return sealed;
}

std::string StreamSealer::finish() { return std::exchange(header_, {}) + push(pending_, true); }

StreamOpener::StreamOpener(const Secret& key, std::string name)
    : state_(std::make_unique<State>()), key_(key), name_(std::move(name)) {}

StreamOpener::~StreamOpener() { sodium_memzero(state_.get(), sizeof(State)); }

std::string StreamOpener::pull(std::string_view chunk) {
  if (ended_ || chunk.size() < extra_bytes) refuse(name_);
  std::string plain(chunk.size() - extra_bytes, '\0');
  unsigned char tag = 0;
  if (crypto_secretstream_xchacha20poly1305_pull(&state_->stream, characters(plain), nullptr, &tag, characters(chunk),
                                                 chunk.size(), characters(name_), name_.size()) != 0) {
    refuse(name_);
  }
  ended_ = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
  return plain;
}

// A chunk is opened when something follows it, or at the end: only the last may be shorter.
std::string StreamOpener::write(std::string_view sealed) {
  pending_ += sealed;
  std::size_t begin = 0;
  if (!begun_ && pending_.size() >= header_bytes) {
    begun_ = true;
    begin = header_bytes;
    if (crypto_secretstream_xchacha20poly1305_init_pull(&state_->stream, characters(std::string_view(pending_)),
                                                        characters(key_.bytes())) != 0) {
      refuse(name_);
    }
  }
  std::string plain;
  const std::size_t whole = chunk_bytes + extra_bytes;
  while (begun_ && pending_.size() - begin >= whole) {
    plain += pull(std::string_view(pending_).substr(begin, whole));
    begin += whole;
  }
  if (sealed.empty() && pending_.size() > begin) {
    plain += pull(std::string_view(pending_).substr(begin));
    begin = pending_.size();
  }
  pending_.erase(0, begin);
  return plain;
}

void StreamOpener::finish() const {
  if (!ended_ || !pending_.empty()) refuse(name_);
}

}  // namespace wajah::attendance
