// The container of a .wajah archive: a zip of named parts (minizip), each sealed if there is a passphrase. Nothing in
// it names anybody but what the parts hold.
#pragma once

#include "attendance/storage/sealed_stream.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace wajah::attendance {

struct PartSum {
  std::uint64_t bytes = 0;
  std::string sha256;  // of the part's plain bytes, in hex
};

// Writes a new file; whoever calls gives it its name when it is whole.
class ArchiveWriter {
 public:
  ArchiveWriter(const std::filesystem::path& file, const std::optional<std::string>& passphrase);
  ~ArchiveWriter();
  ArchiveWriter(const ArchiveWriter&) = delete;
  ArchiveWriter& operator=(const ArchiveWriter&) = delete;
  ArchiveWriter(ArchiveWriter&&) = delete;
  ArchiveWriter& operator=(ArchiveWriter&&) = delete;

  using Write = std::function<void(std::string_view)>;
  // A part with whatever `fill` writes. Throws Error (storage).
  PartSum add(const std::string& name, const std::function<void(const Write&)>& fill);
  void finish();

 private:
  void add_plain(const std::string& name, std::string_view bytes);
  void open_entry(const std::string& name);
  void write_entry(std::string_view bytes);
  void close_entry();

  void* zip_;
  std::string file_;
  std::optional<Secret> key_;
};

class ArchiveReader {
 public:
  // Throws Error (input) if it is no archive, if it is sealed and there is no passphrase, or another one.
  // `most_bytes`: of all that is unpacked; read_lines() throws Error (input) beyond it.
  ArchiveReader(const std::filesystem::path& file, const std::optional<std::string>& passphrase,
                std::uint64_t most_bytes = std::numeric_limits<std::uint64_t>::max());

  // Whether the file is a zip with a part of that name.
  [[nodiscard]] static bool holds(const std::filesystem::path& file, const std::string& name);

  // All lines of a part, without their ends. Throws Error (input) on a part that is missing, damaged or not sealed
  // with the passphrase.
  PartSum read_lines(const std::string& name, const std::function<void(std::string_view)>& take);

  // The lines of a part that is a text of ours and short, as one. Throws Error (input) also if it is longer.
  [[nodiscard]] std::string read_text(const std::string& name);

 private:
  [[nodiscard]] bool has(const std::string& name);
  void read_entry(const std::string& name, const std::function<void(std::string_view)>& take);
  [[nodiscard]] PassphraseRule rule();

  struct Closer {
    void operator()(void* zip) const;
  };

  std::unique_ptr<void, Closer> zip_;
  std::string file_;
  std::uint64_t bytes_left_;
  std::optional<Secret> key_;
};

}  // namespace wajah::attendance
