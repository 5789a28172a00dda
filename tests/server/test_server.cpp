#include "test_server.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>

namespace wajah::server {
namespace {

std::string text_of(attendance::Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace

attendance::UploadResult FakeApi::upload(std::string_view nik, std::string_view name,
                                         std::span<const attendance::File> files) {
  ++calls_;
  Upload upload{std::string(nik), std::string(name), {}};
  for (const auto& file : files) upload.files.emplace_back(file.filename, text_of(file.bytes));
  {
    const std::lock_guard lock(mutex_);
    uploads_.push_back(upload);
  }
  if (on_upload) return on_upload(upload);
  return {{1, upload.nik, upload.name}, files.size(), {}, {}};
}

attendance::RecogniseResult FakeApi::recognise(std::string_view nik_input, attendance::Bytes picture) {
  ++calls_;
  if (on_recognise) return on_recognise(std::string(nik_input), text_of(picture));
  return {{}, std::string(nik_input), false, 0, "Wajah Tidak Dikenali"};
}

attendance::RemoveResult FakeApi::remove(std::string_view nik, std::string_view name) {
  ++calls_;
  if (on_remove) return on_remove(std::string(nik), std::string(name));
  return {{1, std::string(nik), std::string(name)}, 3, true, ""};
}

std::vector<FakeApi::Upload> FakeApi::uploads() const {
  const std::lock_guard lock(mutex_);
  return uploads_;
}

TemporaryFolder::TemporaryFolder() {
  auto name = (std::filesystem::temp_directory_path() / "wajah-server-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

TestServer::TestServer(const std::function<void(HttpOptions&)>& change, AccessLog also) {
  HttpOptions options;
  options.listen.port = 0;
  options.spool_folder = folder.path();
  options.linger = Milliseconds(300);
  options.drain_idle = Milliseconds(50);
  if (change) change(options);
  site.api = &api;
  site.info = {"1.2.3", "test-model", "cpu/test"};
  site.warn = [this](const std::string& text) {
    const std::lock_guard lock(mutex_);
    warnings.push_back(text);
  };
  server_ = std::make_unique<HttpServer>(options, site, [this, also = std::move(also)](const AccessLine& line) {
    if (also) also(line);
    const std::lock_guard lock(mutex_);
    log_.push_back(fmt::format("{} {} {}", line.method, line.path, line.status));
  });
  server_->start();
}

std::vector<std::string> TestServer::log() const {
  const std::lock_guard lock(mutex_);
  return log_;
}

}  // namespace wajah::server
