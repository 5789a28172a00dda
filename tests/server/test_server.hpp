// A whole HTTP server on a free port in front of a fake service, so that HTTP is tested without models.
#pragma once

#include "client.hpp"
#include "server/http_server.hpp"
#include "server/site.hpp"

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace wajah::server {

// Remembers what it was asked; answers what the test has set.
class FakeApi final : public Api {
 public:
  struct Upload {
    std::string nik, name;
    std::vector<std::pair<std::string, std::string>> files;  // filename, bytes
  };

  attendance::UploadResult upload(std::string_view nik, std::string_view name,
                                  std::span<const attendance::File> files) override;
  void wait_for(attendance::UploadResult& /*uploaded*/) override {}
  attendance::RecogniseResult recognise(std::string_view nik_input, attendance::Bytes picture) override;
  attendance::RemoveResult remove(std::string_view nik, std::string_view name) override;

  std::function<attendance::UploadResult(const Upload&)> on_upload;
  std::function<attendance::RecogniseResult(const std::string&, const std::string&)> on_recognise;
  std::function<attendance::RemoveResult(const std::string&, const std::string&)> on_remove;

  [[nodiscard]] std::vector<Upload> uploads() const;
  [[nodiscard]] std::size_t calls() const { return calls_; }

 private:
  mutable std::mutex mutex_;
  std::vector<Upload> uploads_;
  std::atomic<std::size_t> calls_{0};
};

// A folder that is gone when the test is.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  TemporaryFolder(TemporaryFolder&&) = delete;
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class TestServer {
 public:
  // `also`: gets each line of the access log besides log().
  explicit TestServer(const std::function<void(HttpOptions&)>& change = {}, AccessLog also = {});

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] HttpServer& server() { return *server_; }

  // Lines of the access log so far: "POST /upload 200".
  [[nodiscard]] std::vector<std::string> log() const;

  TemporaryFolder folder;
  FakeApi api;
  Site site;
  std::vector<std::string> warnings;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> log_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace wajah::server
