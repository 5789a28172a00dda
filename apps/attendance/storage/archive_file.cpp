#include "attendance/storage/archive_file.hpp"

#include <wajah/error.hpp>

#include <minizip/unzip.h>
#include <minizip/zip.h>
#include <sodium.h>
#include <boost/json.hpp>

#include <array>
#include <charconv>

namespace wajah::attendance {
namespace {

namespace json = boost::json;

const std::string sealing_part = "sealing.json";
constexpr std::size_t most_line = std::size_t{64} << 20;  // a kept picture in base64 is the longest
constexpr std::size_t most_text = std::size_t{1} << 20;   // of the parts that are read whole
constexpr int fast_compression = 1;                       // templates hardly compress, texts do at any level

class Sha256 {
 public:
  Sha256() { crypto_hash_sha256_init(&state_); }
  void add(std::string_view bytes) {
    sum_.bytes += bytes.size();
    crypto_hash_sha256_update(&state_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  }
  [[nodiscard]] PartSum sum() {
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
    crypto_hash_sha256_final(&state_, digest.data());
    std::string hex(digest.size() * 2 + 1, '\0');
    sodium_bin2hex(hex.data(), hex.size(), digest.data(), digest.size());
    hex.pop_back();
    sum_.sha256 = hex;
    return sum_;
  }

 private:
  crypto_hash_sha256_state state_{};
  PartSum sum_;
};

// Hands over whole lines, however the bytes come.
class Lines {
 public:
  Lines(std::string part, const std::function<void(std::string_view)>& take) : part_(std::move(part)), take_(take) {}
  void add(std::string_view bytes) {
    rest_ += bytes;
    std::size_t begin = 0;
    for (std::size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
      take_(std::string_view(rest_).substr(begin, end - begin));
      begin = end + 1;
    }
    rest_.erase(0, begin);
    if (rest_.size() > most_line) fail(ErrorKind::input, "{}: a line of more than {} bytes", part_, most_line);
  }
  void finish() const {
    if (!rest_.empty()) fail(ErrorKind::input, "{}: its last line is cut", part_);
  }

 private:
  std::string part_, rest_;
  const std::function<void(std::string_view)>& take_;
};

// A few bytes in a zip can stand for gigabytes.
void append(std::string& text, std::string_view bytes, const std::string& file, const std::string& part) {
  if (text.size() + bytes.size() > most_text) {
    fail(ErrorKind::input, "{}: {} is longer than {} bytes; this is no archive of wajah's", file, part, most_text);
  }
  text += bytes;
}

std::string hex_of(const std::array<std::byte, 16>& bytes) {
  std::string hex(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  hex.pop_back();
  return hex;
}

}  // namespace

ArchiveWriter::ArchiveWriter(const std::filesystem::path& file, const std::optional<std::string>& passphrase)
    : zip_(zipOpen64(file.c_str(), APPEND_STATUS_ADDINZIP)), file_(file.string()) {
  if (!zip_) fail(ErrorKind::storage, "{}: cannot be written", file_);
  if (!passphrase) return;
  const PassphraseRule rule = PassphraseRule::random();
  key_ = key_of(*passphrase, rule);
  add_plain(sealing_part, json::serialize(json::object{{"key", "argon2id"},
                                                       {"salt", hex_of(rule.salt)},
                                                       {"passes", rule.passes},
                                                       {"memory", rule.memory},
                                                       {"stream", "libsodium secretstream"}}));
}

ArchiveWriter::~ArchiveWriter() {
  if (zip_) zipClose(zip_, nullptr);
}

void ArchiveWriter::open_entry(const std::string& name) {
  const zip_fileinfo info{};
  if (zipOpenNewFileInZip64(zip_, name.c_str(), &info, nullptr, 0, nullptr, 0, nullptr, Z_DEFLATED, fast_compression,
                            1) != ZIP_OK) {
    fail(ErrorKind::storage, "{}: {} cannot be written", file_, name);
  }
}

void ArchiveWriter::write_entry(std::string_view bytes) {
  if (zipWriteInFileInZip(zip_, bytes.data(), static_cast<unsigned>(bytes.size())) != ZIP_OK) {
    fail(ErrorKind::storage, "{}: cannot be written; is the disk full?", file_);
  }
}

void ArchiveWriter::close_entry() {
  if (zipCloseFileInZip(zip_) != ZIP_OK) {
    fail(ErrorKind::storage, "{}: cannot be written; is the disk full?", file_);
  }
}

void ArchiveWriter::add_plain(const std::string& name, std::string_view bytes) {
  open_entry(name);
  write_entry(bytes);
  close_entry();
}

PartSum ArchiveWriter::add(const std::string& name, const std::function<void(const Write&)>& fill) {
  Sha256 sum;
  std::optional<StreamSealer> sealer;
  if (key_) sealer.emplace(*key_, name);
  open_entry(name);
  fill([&](std::string_view bytes) {
    sum.add(bytes);
    write_entry(sealer ? sealer->write(bytes) : std::string(bytes));
  });
  if (sealer) write_entry(sealer->finish());
  close_entry();
  return sum.sum();
}

void ArchiveWriter::finish() {
  if (zipClose(std::exchange(zip_, nullptr), nullptr) != ZIP_OK) {
    fail(ErrorKind::storage, "{}: cannot be written; is the disk full?", file_);
  }
}

ArchiveReader::ArchiveReader(const std::filesystem::path& file, const std::optional<std::string>& passphrase,
                             std::uint64_t most_bytes)
    : zip_(unzOpen64(file.c_str())), file_(file.string()), bytes_left_(most_bytes) {
  if (!zip_) fail(ErrorKind::input, "{}: no wajah archive, expected a file that 'wajah export' wrote", file_);
  if (has(sealing_part)) {
    if (!passphrase) fail(ErrorKind::input, "{}: the archive is sealed; give --passphrase-file", file_);
    key_ = key_of(*passphrase, rule());
  }
}

bool ArchiveReader::holds(const std::filesystem::path& file, const std::string& name) {
  const std::unique_ptr<void, Closer> zip(unzOpen64(file.c_str()));
  return zip && unzLocateFile(zip.get(), name.c_str(), 1) == UNZ_OK;
}

void ArchiveReader::Closer::operator()(void* zip) const { unzClose(zip); }

bool ArchiveReader::has(const std::string& name) { return unzLocateFile(zip_.get(), name.c_str(), 1) == UNZ_OK; }

PassphraseRule ArchiveReader::rule() {
  std::string text;
  read_entry(sealing_part, [&](std::string_view bytes) { append(text, bytes, file_, sealing_part); });
  try {
    const json::object object = json::parse(text).as_object();
    PassphraseRule rule;
    const auto salt = std::string(object.at("salt").as_string());
    std::size_t size = 0;
    if (sodium_hex2bin(reinterpret_cast<unsigned char*>(rule.salt.data()), rule.salt.size(), salt.data(), salt.size(),
                       nullptr, &size, nullptr) != 0 ||
        size != rule.salt.size()) {
      fail(ErrorKind::input, "the salt has {} hex digits, expected {}", salt.size(), 2 * rule.salt.size());
    }
    rule.passes = object.at("passes").to_number<std::uint64_t>();
    rule.memory = object.at("memory").to_number<std::uint64_t>();
    return rule;
  } catch (const std::exception& error) {
    fail(ErrorKind::input, "{}: {} says nothing that can be used: {}", file_, sealing_part, error.what());
  }
}

void ArchiveReader::read_entry(const std::string& name, const std::function<void(std::string_view)>& take) {
  if (!has(name) || unzOpenCurrentFile(zip_.get()) != UNZ_OK) {
    fail(ErrorKind::input, "{}: {} is missing; the archive is not whole", file_, name);
  }
  std::array<char, std::size_t{64} << 10> buffer{};
  int read = 0;
  do {
    read = unzReadCurrentFile(zip_.get(), buffer.data(), static_cast<unsigned>(buffer.size()));
    if (read < 0) break;
    if (static_cast<std::uint64_t>(read) > bytes_left_) {
      fail(ErrorKind::input, "{}: unpacks to more than is taken; import it with 'wajah import' on the server", file_);
    }
    bytes_left_ -= static_cast<std::uint64_t>(read);
    take(std::string_view(buffer.data(), static_cast<std::size_t>(read)));
  } while (read > 0);
  if (unzCloseCurrentFile(zip_.get()) != UNZ_OK || read < 0) {
    fail(ErrorKind::input, "{}: {} is damaged", file_, name);
  }
}

std::string ArchiveReader::read_text(const std::string& name) {
  std::string text;
  (void)read_lines(name, [&](std::string_view line) { append(text, line, file_, name); });
  return text;
}

PartSum ArchiveReader::read_lines(const std::string& name, const std::function<void(std::string_view)>& take) {
  Sha256 sum;
  Lines lines(file_ + ": " + name, take);
  std::optional<StreamOpener> opener;
  if (key_) opener.emplace(*key_, name);
  read_entry(name, [&](std::string_view bytes) {
    const std::string opened = opener ? opener->write(bytes) : std::string();
    const std::string_view plain = opener ? std::string_view(opened) : bytes;
    sum.add(plain);
    lines.add(plain);
  });
  if (opener) opener->finish();
  lines.finish();
  return sum.sum();
}

}  // namespace wajah::attendance
