// WebhookWorker: one thread that delivers what the WebhookStore has queued: signed, in turn, tried again with growing
// pauses for a day and a half.
#pragma once

#include "attendance/storage/webhook_store.hpp"

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace wajah::server {

// How a delivery went: the status, or why none came.
struct Posted {
  int status = 0;
  std::string error;

  [[nodiscard]] bool accepted() const { return status >= 200 && status < 300; }
};

using PostHeaders = std::vector<std::pair<std::string, std::string>>;

// POSTs a JSON text with the given headers; http and https. The receiver's certificate must be vouched for by an
// authority of the system's or of `ca_file` (PEM), and be of the host asked for. Redirects are not followed: an answer
// that sends a delivery elsewhere is a failure.
[[nodiscard]] Posted post_json(std::string_view url, std::string_view body, const PostHeaders& headers,
                               std::chrono::milliseconds deadline, const std::filesystem::path& ca_file = {});

// What is wrong with an address to post to; nothing: it is a plain http or https URL. Names and passwords in it are
// refused, since they are sent to nobody.
[[nodiscard]] std::optional<std::string> fault_of_url(std::string_view url);

// "t=<seconds>,v1=<hex of HMAC-SHA-256 of '<seconds>.<payload>'>": what receivers check X-Wajah-Signature with.
[[nodiscard]] std::string webhook_signature(std::string_view secret, std::string_view payload, std::int64_t seconds);

// The pause after so many failed attempts; nothing: given up.
[[nodiscard]] std::optional<std::chrono::seconds> pause_after(int attempts);

class WebhookWorker {
 public:
  using Now = std::function<attendance::Time()>;
  using Post = Posted(std::string_view url, std::string_view body, const PostHeaders& headers,
                      std::chrono::milliseconds deadline);

  struct Options {
    std::chrono::milliseconds deadline{10'000};  // of one delivery
    std::chrono::milliseconds poll{1'000};       // how often the queue is looked at
    Now now = std::chrono::system_clock::now;
    std::filesystem::path ca_file;  // authorities to trust besides the system's
    std::function<Post> post;       // none: post_json
    std::function<void(const std::string&)> warn = [](const std::string&) {};
  };

  WebhookWorker(attendance::WebhookStore& store, Options options);
  ~WebhookWorker();  // waits for the delivery under way
  WebhookWorker(const WebhookWorker&) = delete;
  WebhookWorker& operator=(const WebhookWorker&) = delete;
  WebhookWorker(WebhookWorker&&) = delete;
  WebhookWorker& operator=(WebhookWorker&&) = delete;

 private:
  void serve();
  void deliver_due();
  bool deliver(const attendance::DueDelivery& due);

  attendance::WebhookStore& store_;
  Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace wajah::server
