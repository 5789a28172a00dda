// FileSource: a file as an answer's body, block by block.
#pragma once

#include "attendance/file_descriptor.hpp"
#include "server/body_source.hpp"

#include <cstdint>
#include <filesystem>

namespace wajah::server {

class FileSource final : public BodySource {
 public:
  // Opens the file and takes its name away, so that it is gone when it has been sent or the process has ended. Throws
  // Error (storage).
  explicit FileSource(const std::filesystem::path& file);

  Piece next() override;
  void on_news(std::function<void()>) override {}

 private:
  attendance::FileDescriptor file_;
  std::uint64_t size_ = 0, sent_ = 0;
};

}  // namespace wajah::server
