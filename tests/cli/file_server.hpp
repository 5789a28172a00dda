// A file server of the test's own: answers each request as the test says, over HTTP or TLS, and remembers the requests.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace wajah::test {

struct Certificate {
  std::string pem, key_pem;
};

// Self-signed, for "localhost".
[[nodiscard]] Certificate make_certificate();

class FileServer {
 public:
  // Gets a request's head, gives the whole answer; then the connection is closed.
  using Answer = std::function<std::string(const std::string& request)>;

  explicit FileServer(Answer answer, std::optional<Certificate> certificate = std::nullopt);
  ~FileServer();
  FileServer(const FileServer&) = delete;
  FileServer& operator=(const FileServer&) = delete;
  FileServer(FileServer&&) = delete;
  FileServer& operator=(FileServer&&) = delete;

  [[nodiscard]] std::string address() const;  // "http://127.0.0.1:1234" or "https://localhost:1234"

  // The requests so far; those served later do not change it.
  [[nodiscard]] std::vector<std::string> requests() const;

 private:
  void serve();
  void exchange(auto& stream);

  Answer answer_;
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::optional<boost::asio::ssl::context> tls_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// Answers to hand out.
[[nodiscard]] std::string whole(const std::string& body);
[[nodiscard]] std::string cut_after(const std::string& body, std::size_t bytes);  // promises all of it, sends some
[[nodiscard]] std::string rest_from(const std::string& body, std::size_t first);  // 206
[[nodiscard]] std::string refusal(const std::string& status);                     // "404 Not Found"

}  // namespace wajah::test
