// WebhookWorker: one thread that delivers what the WebhookStore has queued: signed, in turn, tried again with growing
// pauses for a day and a half.
#pragma once

#include "attendance/storage/webhook_store.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace wajah::server {

// How a delivery went: the status, or why none came.
struct Posted {
  int status = 0;
  std::string error;

  [[nodiscard]] bool accepted() const { return status >= 200 && status < 300; }
};

// POSTs a JSON text with the given header lines ("Name: value"); http and https. Redirects are not followed: an answer
// that sends a delivery elsewhere is a failure.
[[nodiscard]] Posted post_json(std::string_view url, std::string_view body,
                               const std::vector<std::pair<std::string, std::string>>& headers,
                               std::chrono::milliseconds deadline);

// "t=<seconds>,v1=<hex of HMAC-SHA-256 of '<seconds>.<payload>'>": what receivers check X-Wajah-Signature with.
[[nodiscard]] std::string webhook_signature(std::string_view secret, std::string_view payload, std::int64_t seconds);

// The pause after so many failed attempts; nothing: given up.
[[nodiscard]] std::optional<std::chrono::seconds> pause_after(int attempts);

class WebhookWorker {
 public:
  using Now = std::function<attendance::Time()>;
  using Post = decltype(post_json);

  struct Options {
    std::chrono::milliseconds deadline{10'000};  // of one delivery
    std::chrono::milliseconds poll{1'000};       // how often the queue is looked at
    Now now = std::chrono::system_clock::now;
    std::function<Post> post = post_json;
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
  void deliver(const attendance::DueDelivery& due);

  attendance::WebhookStore& store_;
  Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace wajah::server
