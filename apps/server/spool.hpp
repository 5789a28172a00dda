// Spool: where the files of one request wait until the request is whole. A small request stays in memory, a large one
// goes to a file that has no name, so it vanishes with the process however that ends.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace wajah::server {

// What all spools of a server may hold together. Memory that is used up sends requests to the disk sooner.
class SpoolSpace {
 public:
  struct Limits {
    std::size_t memory_each = std::size_t{1} << 20;  // of one request, before it goes to the disk
    std::size_t memory = std::size_t{64} << 20;
    std::size_t disk = std::size_t{2} << 30;
  };

  // `folder` must be writable; it is used only when a request goes to the disk.
  SpoolSpace(std::filesystem::path folder, Limits limits) : folder_(std::move(folder)), limits_(limits) {}

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] const Limits& limits() const { return limits_; }
  [[nodiscard]] std::size_t memory_used() const { return memory_; }
  [[nodiscard]] std::size_t disk_used() const { return disk_; }

 private:
  friend class Spool;

  std::filesystem::path folder_;
  Limits limits_;
  std::atomic<std::size_t> memory_{0}, disk_{0};
};

class Spool {
 public:
  explicit Spool(SpoolSpace& space) : space_(space) {}
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;
  Spool(Spool&&) = delete;
  Spool& operator=(Spool&&) = delete;

  // Throws Error (storage) if the disk, or the space for all requests, is full.
  void append(std::string_view bytes);
  [[nodiscard]] std::size_t size() const { return size_; }

  // All bytes appended, valid as long as the spool; append no more. Throws Error (storage).
  [[nodiscard]] std::span<const std::byte> view();

 private:
  [[nodiscard]] bool reserve_memory(std::size_t bytes);
  void open_file();
  void write_out();

  SpoolSpace& space_;
  std::vector<std::byte> memory_;  // everything, or what is yet to be written
  std::size_t size_ = 0, reserved_memory_ = 0, reserved_disk_ = 0;
  int file_ = -1;
  void* mapped_ = nullptr;
};

}  // namespace wajah::server
