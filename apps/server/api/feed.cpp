#include "server/api/feed.hpp"

#include <fmt/format.h>

#include <utility>

namespace wajah::server {

class Feed::Listener final : public BodySource {
 public:
  Listener(std::shared_ptr<Shared> shared, Taste taste) : shared_(std::move(shared)), taste_(std::move(taste)) {
    const std::lock_guard lock(shared_->mutex);
    ended_ = shared_->closed;
    shared_->listeners.emplace(this, this);
  }
  ~Listener() override {
    const std::lock_guard lock(shared_->mutex);
    shared_->listeners.erase(this);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  Listener(Listener&&) = delete;
  Listener& operator=(Listener&&) = delete;

  Piece next() override {
    const std::lock_guard lock(shared_->mutex);
    Piece piece;
    for (auto& event : waiting_) piece.bytes += event;
    waiting_.clear();
    piece.last = ended_;
    return piece;
  }

  void on_news(std::function<void()> wake) override {
    const std::lock_guard lock(shared_->mutex);
    wake_ = std::move(wake);
  }

  std::string_view heartbeat() const override { return ": still here\n\n"; }

  // The following with shared_->mutex held.
  void take(std::string_view event, std::string_view data, std::uint64_t id) {
    const auto wish = ended_ ? Wish::skip : taste_(event, data);
    if (wish == Wish::skip) return;
    waiting_.push_back(sse_event(event, data, id));
    ended_ = waiting_.size() > most_waiting || wish == Wish::take_and_end;
    if (wake_) wake_();
  }
  void end() {
    ended_ = true;
    if (wake_) wake_();
  }

 private:
  std::shared_ptr<Shared> shared_;
  Taste taste_;
  std::deque<std::string> waiting_;
  std::function<void()> wake_;
  bool ended_ = false;
};

void Feed::publish(std::string_view event, std::string_view data) {
  const std::lock_guard lock(shared_->mutex);
  const auto id = ++shared_->events;
  for (const auto& [key, listener] : shared_->listeners) listener->take(event, data, id);
}

std::shared_ptr<BodySource> Feed::listen(Taste taste) { return std::make_shared<Listener>(shared_, std::move(taste)); }

void Feed::close() {
  const std::lock_guard lock(shared_->mutex);
  shared_->closed = true;
  for (const auto& [key, listener] : shared_->listeners) listener->end();
}

std::size_t Feed::listeners() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->listeners.size();
}

std::string sse_event(std::string_view event, std::string_view data, std::uint64_t id) {
  const auto number = id ? fmt::format("id: {}\n", id) : std::string();
  return fmt::format("{}event: {}\ndata: {}\n\n", number, event, data);
}

}  // namespace wajah::server
